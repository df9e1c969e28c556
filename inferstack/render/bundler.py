"""esbuild, set up as wrangler sets it up: one ES module, and beside it what is no code (wasm, binary data)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferstack.config import WorkerSpec, leaves, real_path
from inferstack.errors import ConfigError
from inferstack.render import node_modules, script_syntax, site
from inferstack.render.additional import additional_modules, main_name
from inferstack.render.file_globals import write_globals
from inferstack.render.module import BY_RULE, DATA, NO_CODE, TEXT, WASM, Module, Source
from inferstack.toolchain import find_esbuild, packages_folder

SECONDS = 120
REQUIRE = re.compile(r"""\b__require\d*\("(node:[\w/]+)"\)""")
PROBLEM = re.compile(r"^✘ \[ERROR\] (?P<text>.*?)(?: \[[\w-]+\])?\n(?:\n {4}(?P<place>\S+:\d+:\d+):)?", re.MULTILINE)
BUILT_INTO_NODE = re.compile(r'^Could not resolve "(?P<name>[^"]+)"')


class BundleError(ConfigError):
    """Code that cannot be bundled; each problem has its place in the file."""


@dataclass(frozen=True, slots=True)
class Bundling:
    """One run: the entry, the Worker it is for, and the project."""

    entry: Path
    worker: WorkerSpec
    root: Path

    def run(self) -> Source:
        """The main module first. Raises `BundleError`."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            paths = site.site_paths(self.worker, self.root)
            if paths is not None:
                site.write_manifest(paths, folder)
            _, of_globals = write_globals(self.worker, folder, self.root)
            facts = self._built(folder)
            code = (folder / "out" / "index.js").read_text(encoding="utf-8")
            if not _of_entry(facts).get("exports") and script_syntax.LISTENS.search(code):
                before = "" if paths is None else site.as_globals(paths, self._site_binding)
                facts = self._built(folder, script_syntax.as_module(self._shown, before))
            elif paths is not None:
                facts = self._built(folder, site.around_module(paths, self._site_binding, self._shown))
            more = additional_modules(self.worker.bundle, self.entry, self.root) if self.worker.bundle else []
            read = [self.root / found for found in facts["inputs"] if found != script_syntax.FILE]
            read += [*of_globals, *(file for file, _ in more)]
            refuse_outside(read, self.root, folder)
            own = list(self._modules(folder, facts))
            names = {module.name for module in own}
            beside = [module for _, module in more if module.name not in names]
            return Source((*own, *beside), frozenset(read))

    @property
    def _shown(self) -> str:
        return self.entry.relative_to(self.root).as_posix()

    @property
    def _site_binding(self) -> str:
        return str(self.worker.assets and self.worker.assets.binding)

    def _built(self, folder: Path, code: str = "") -> dict[str, Any]:
        """What esbuild says of what it wrote into the folder; `code` stands for the entry."""
        command, given = self._command(folder, [f"--sourcefile={script_syntax.FILE}"] if code else []), code.encode()
        try:
            done = subprocess.run(
                command, input=given, capture_output=True, cwd=self.root, timeout=SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise BundleError(f"esbuild did not finish `{self._shown}` in {SECONDS} seconds") from None
        if done.returncode != 0:
            raise BundleError(self._problems(done.stderr.decode(errors="replace")))
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_text())
        return facts

    def _command(self, folder: Path, of_text: list[str]) -> list[str]:
        spec = self.worker.bundle or None
        kinds = dict(NO_CODE)
        for rule in spec.rules if spec else []:
            kinds |= dict.fromkeys(rule.suffixes, BY_RULE[rule.type])
        loaders = {suffix: "text" if kind == TEXT else "copy" for suffix, kind in kinds.items()}
        defined = {"process.env.NODE_ENV": '"production"', **(spec.define if spec else {})}
        aliases, injected = self._node(folder)
        aliases |= spec.alias if spec else {}
        if (manifest := folder / site.FILE).is_file():
            aliases[site.MANIFEST] = str(manifest)
        return [
            esbuild(self.entry, self.root),
            *(of_text or [str(self.entry)]),
            *("--bundle", "--format=esm", "--target=es2024", "--platform=neutral", "--main-fields=browser,module,main"),
            *("--conditions=workerd,worker,browser", "--external:node:*", "--external:cloudflare:*"),
            *("--external:workerd:*", "--charset=utf8", "--legal-comments=none", "--log-level=error", "--color=false"),
            *(f"--loader:{suffix}={loader}" for suffix, loader in sorted(loaders.items())),
            *(f"--define:{name}={value}" for name, value in defined.items()),
            *(f"--alias:{name}={value}" for name, value in aliases.items()),
            *(f"--inject:{file}" for file in injected),
            *(f"--inject:{file}" for file in folder.glob("file_globals.mjs")),
            *([f"--tsconfig={self.root / spec.tsconfig}"] if spec and spec.tsconfig else []),
            *("--entry-names=index", f"--outdir={folder / 'out'}", f"--metafile={folder / 'facts.json'}"),
        ]

    def _node(self, folder: Path) -> tuple[dict[str, str], list[Path]]:
        date, flags = self.worker.compatibility_date, self.worker.compatibility_flags
        if not node_modules.has_node(date, flags):
            return {}, []
        text = node_modules.globals_of(date, flags)
        if not text:
            return node_modules.aliases(date, flags), []
        file = folder / "globals.mjs"
        file.write_text(text)
        return node_modules.aliases(date, flags), [file]

    def _modules(self, folder: Path, facts: dict[str, Any]) -> Iterator[Module]:
        out = folder / "out"
        code = self._placeless((out / "index.js").read_text(encoding="utf-8"), folder, facts["inputs"])
        entry = _of_entry(facts)
        for found in entry["imports"]:
            if found.get("external") and found["path"].startswith("node:"):
                flags = self.worker.compatibility_flags
                node_modules.check_import(found["path"], self.entry.relative_to(self.root), flags)
        main = main_name(self.worker.bundle or None, self.entry, self.root)
        yield Module(main, _with_imports(code).encode())
        names = {found["path"].rpartition("/")[2] for found in entry["imports"] if not found.get("external")}
        for name in sorted(names):
            file = name.partition("?")[0]
            yield Module(
                main.removesuffix("index.js") + name, (out / file).read_bytes(), WASM if self._is_wasm(file) else DATA
            )

    def _placeless(self, code: str, folder: Path, inputs: Iterable[str]) -> str:
        """esbuild writes each file's path beside its code: where ours lie is another place on each machine and in each run."""
        for home, shown in ((folder, ""), (packages_folder("build"), "node_modules/")):
            real = real_path(home)
            for name in inputs:
                file = real_path(self.root / name)
                if file.is_relative_to(real) and name.endswith(inside := file.relative_to(real).as_posix()):
                    code = code.replace(name.removesuffix(inside), shown)
                    break
        return code

    def _is_wasm(self, file: str) -> bool:
        spec = self.worker.bundle or None
        rules = spec.rules if spec else []
        suffixes = [suffix for rule in rules if rule.type == "CompiledWasm" for suffix in rule.suffixes]
        return file.endswith((".wasm", *suffixes))

    def _problems(self, said: str) -> str:
        """esbuild's words with their places, as lines of our own."""
        found = [(match["place"], match["text"]) for match in PROBLEM.finditer(said)]
        if not found:
            return f"esbuild cannot bundle `{self.entry.relative_to(self.root)}`: {said.strip()[:500]}"
        lines = [f"{place + ': ' if place else ''}{text}" for place, text in found]
        return "\n".join(lines) + f"\n  fix: {self._fix(found[0][1])}"

    def _fix(self, text: str) -> str:
        unresolved = BUILT_INTO_NODE.match(text)
        if unresolved is None:
            return "correct the code there"
        name = unresolved["name"]
        if node_modules.is_builtin(name):
            return node_modules.NEEDS
        if name.startswith((".", "/")):
            return "create the file, or correct the path"
        return f"npm install {name.split('/')[0] if not name.startswith('@') else '/'.join(name.split('/')[:2])}"


def _of_entry(facts: dict[str, Any]) -> dict[str, Any]:
    """The output that has the main module."""
    found: dict[str, Any] = next(each for name, each in facts["outputs"].items() if name.endswith("/index.js"))
    return found


def _with_imports(code: str) -> str:
    """CommonJS packages `require` Node's modules, which a Worker can only import: that is done ahead of them."""
    names = sorted(set(REQUIRE.findall(code)))
    if not names:
        return code
    variables = {name: "__node_" + re.sub(r"\W", "_", name.removeprefix("node:")) for name in names}
    head = "".join(f'import {variable} from "{name}";\n' for name, variable in variables.items())
    return head + REQUIRE.sub(lambda match: variables[match[1]], code)


def refuse_outside(files: Iterable[Path], root: Path, made: Path | None = None) -> None:
    """Code goes to Cloudflare and is served: a link or an import must not take a file of the machine along.

    Packages may lie above the project or behind links, as npm's workspaces and pnpm have it, and what the bundler is given
    lies in `made`. Raises `ConfigError`.
    """
    for file in files:
        inside = made is not None and real_path(file).is_relative_to(real_path(made))
        if leaves(file, root) and not inside and "node_modules" not in real_path(file).parts:
            shown = os.path.relpath(file, root)
            raise ConfigError(f"`{shown}` leads out of the project\n  fix: put the file itself into the project")


def esbuild(entry: Path, root: Path) -> str:
    """The nearest node_modules' own, else the one that `inferstack setup` installed, else the one on PATH."""
    for folder in entry.parents:
        found = folder / "node_modules" / ".bin" / "esbuild"
        if found.is_file():
            return os.fspath(found)
        if folder == root:
            break
    ours = find_esbuild()
    if ours is None:
        fix = "inferstack setup, or write plain JavaScript that imports only its own files"
        raise ConfigError(f"`{entry.relative_to(root)}` needs esbuild, which is not installed\n  fix: {fix}")
    return os.fspath(ours)
