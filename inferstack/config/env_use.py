"""What code of one's own reads of `env`, by its text: the entry and the modules of the project that it reaches.

It is no parser, and says nothing where it cannot be sure: of an `env` that is somebody else's, of a name that the code asks
for before it relies on it, of what a build has made.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from inferstack.config.findings.diagnostics import Place
from inferstack.config.paths import leaves

SUFFIXES = ("", ".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx", "/index.ts", "/index.js")
CODE = (".ts", ".tsx", ".mts", ".js", ".mjs", ".jsx")
MOST_FILES = 200
LARGEST_FILE, LONGEST_LINE = 300_000, 5_000  # characters; beyond these it is a bundle
IMPORT = re.compile(r"""(?:\bfrom\s*|\bimport\s*\(?\s*|\brequire\s*\(\s*)["'](\.{1,2}/[^"']+)["']""")
NOT_CODE = re.compile(
    r"""/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""",
    re.DOTALL,
)
FILLED_IN = re.compile(r"\$\{[^{}]*\}")
USE = re.compile(r"(?<![\w$.])((?:[\w$]+\.)*)env\.([A-Za-z_]\w*)(?![\w$])")
HOLDERS = {"this", "self", "c", "ctx", "context", "cloudflare", "platform", "args"}  # whose `env` is the Worker's
TAKEN_APART = re.compile(r"\{([^{}]*)\}\s*(?::[^={}]*)?=\s*(?:this\.|c\.|ctx\.|context\.)?env\b(?!\s*[.(\[])")
# An `env` that the module makes for itself, or has of another module.
OWN = re.compile(r"\b(?:const|let|var)\s+(?:env\b|\{[^{}]*\benv\b[^{}]*\})[^=]*=\s*([^;\n]*)")
IMPORTED = re.compile(r"""\bimport\s*(?:[\w$]+\s*,\s*)?\{[^{}]*\benv\b[^{}]*\}\s*from\s*["']([^"']+)["']""")
OF_WORKER = re.compile(r"cloudflare|^\(?\s*(?:this|self|c|ctx|context|args|event|platform)\b(?!\s*\()", re.IGNORECASE)
EXPORT, EXPORT_ALL = re.compile(r"\bexport\b"), re.compile(r"\bexport\s*\*(?!\s*as\b)")
EXPORT_NAMED = re.compile(
    r"\bexport\s+(?:declare\s+|abstract\s+)*(?:class|const|let|var|async\s+function|function)\s+([\w$]+)"
)
EXPORT_LIST = re.compile(r"\bexport\s*\{([^{}]*)\}")
# What a package puts into `env` before it calls the code (its README, version 1.2.3, 2026-11).
OF_PACKAGES = {"@cloudflare/workers-oauth-provider": "OAUTH_PROVIDER"}
ASKS_BEFORE = re.compile(r"(?:!|&&\s*|\|\|\s*|\b(?:if|while)\s*\(\s*|\btypeof\s+)$")
ASKS_AFTER = re.compile(r"\s*(?:\?\?|\?\.|\?|&&|\|\||[=!]==?|=(?![=>]))")


@dataclass(frozen=True, slots=True)
class Use:
    """The first place where `env.<name>` is read."""

    name: str
    place: Place


def env_uses(entry: Path, root: Path) -> list[Use]:
    """By place, each name once, and none that the code asks for first."""
    return [use for use, asked in _uses(entry, root) if not asked]


def asked_names(entry: Path, root: Path) -> set[str]:
    """What the code asks for before it relies on it."""
    return {use.name for use, asked in _uses(entry, root) if asked}


def _uses(entry: Path, root: Path) -> list[tuple[Use, bool]]:
    """With whether it is asked for."""
    found: dict[str, Use] = {}
    asked: set[str] = set()
    texts = _modules(entry, root)
    given = {name for package, name in OF_PACKAGES.items() for text in texts.values() if _imports(package, text)}
    for file, text in texts.items():
        for name, start, asks in _names(text):
            if name in given:
                continue
            place = Place(file, text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
            found.setdefault(name, Use(name, place))
            if asks:
                asked.add(name)
    return [(use, name in asked) for name, use in found.items()]


def exported_names(entry: Path) -> set[str] | None:
    """What the entry exports by name; None when its text does not tell."""
    text = _text(entry)
    if text is None:
        return None
    code = NOT_CODE.sub(_blank, text)
    if EXPORT_ALL.search(code) or not EXPORT.search(code):
        return None
    found = {named[1] for named in EXPORT_NAMED.finditer(code)}
    for listed in EXPORT_LIST.finditer(code):
        found |= {part.split()[-1] for part in listed[1].split(",") if part.split()}
    return found


def _modules(entry: Path, root: Path) -> dict[Path, str]:
    """Texts by file, the entry first; of those that are no code to read, an empty one."""
    found, left = {entry: _text(entry) or ""}, [entry]
    while left and len(found) < MOST_FILES:
        file = left.pop(0)
        for name in IMPORT.findall(found[file]):
            bare = name.removesuffix(".js")  # TypeScript writes `./a.js` for `./a.ts`
            for path in [file.parent / (name + s) for s in SUFFIXES] + [file.parent / (bare + s) for s in SUFFIXES]:
                if path.is_file() and path.suffix in CODE:
                    if path not in found and not leaves(path, root) and "node_modules" not in path.parts:
                        found[path] = _text(path) or ""
                        left.append(path)
                    break
    return found


def _imports(package: str, text: str) -> bool:
    return bool(re.search(rf"""\bfrom\s*["']{re.escape(package)}["']""", text))


def _text(file: Path) -> str | None:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return None
    bundle = len(text) > LARGEST_FILE or any(len(line) > LONGEST_LINE for line in text.split("\n"))
    return None if bundle or file.suffix not in CODE else text


def _names(text: str) -> list[tuple[str, int, bool]]:
    """Name, offset, and whether the code asks for it there."""
    code = NOT_CODE.sub(_blank, text)
    shared = all(OF_WORKER.search(owner) for owner in OWN.findall(code))
    shared = shared and all(module == "cloudflare:workers" for module in IMPORTED.findall(text))
    found = []
    for use in USE.finditer(code):
        holder = use[1].rstrip(".").rpartition(".")[2]
        mine = holder in HOLDERS if holder else shared and use[2][:1].isupper()
        if mine and code[use.end() : use.end() + 1] != "(":
            asks = ASKS_BEFORE.search(code[: use.start()]) or ASKS_AFTER.match(code, use.end())
            found.append((use[2], use.start(), bool(asks)))
    for parts in TAKEN_APART.finditer(code) if shared else ():
        names = re.finditer(r"([A-Z]\w*)\s*(?::\s*[\w$]+\s*)?(=)?[^,]*", parts[1])
        found += [(part[1], parts.start(1) + part.start(), bool(part[2])) for part in names]
    return found


def _blank(found: re.Match[str]) -> str:
    """Blanks of the same length; what a template text fills in is code."""
    text = found.group()
    blank = re.sub(r"[^\n]", " ", text)
    if text[0] == "`":
        for part in FILLED_IN.finditer(text):
            blank = blank[: part.start()] + "  " + part.group()[2:-1] + " " + blank[part.end() :]
    return blank
