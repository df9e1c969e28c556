"""`make licences`: `docs/licences.md`, from the metadata of what is installed with the package or by it; no network."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

ROOT = Path(__file__).resolve().parent.parent
PAGE = "docs/licences.md"
INTRODUCTION = """\
`inferstack` is Apache-2.0: its code, templates, samples and everything else in the wheel. The wheel holds no package of
others. What is installed with it or by it stands below, as its own metadata tells. `takes` is the range that an installation
may have; the version is the one of `requirements.lock`, on Linux. Development tools are not listed.
"""
PULUMI = "github.com/pulumi/pulumi/pkg/v3"
# Those that were read and are no trouble for users; another one is read before it is taken.
FREE = {"0BSD", "CC0-1.0", "ISC", "MIT", "MIT-0", "Zlib"}
KNOWN = FREE | {"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "MPL-2.0", "PSF-2.0"}
# What metadata says in other words than SPDX's, and, by the licence that is installed, what it does not say.
WORDS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache Software License": "Apache-2.0",
    "ISC License": "ISC",
    "MIT License": "MIT",
}
TEXTS = {
    "apsw": "Zlib",
    "jinja2": "BSD-3-Clause",
    "pocketsphinx": "BSD-2-Clause",
    "shellingham": "ISC",
    "python-dateutil": "Apache-2.0 OR BSD-3-Clause",
}
NPM = {
    "empty-npm-package": "stands for what `miniflare` needs in Node only, so that none of it is installed",
    "esbuild": "bundles Workers of TypeScript or with packages",
    "pathe": "paths, for `unenv`",
    "unenv": "stands for modules of Node that the runtime lacks at an earlier compatibility date",
    "@cloudflare/unenv-preset": "the same for `process`, `console` and `performance`",
    "jose": "verifies tokens; Workers with `auth: jwt` carry it",
    "miniflare": "Cloudflare's own simulators of R2 and the Cache API, which workerd runs on the local Cloudflare",
    "workerd": "runs Workers on the local Cloudflare",
}


class LicenceError(Exception):
    """A licence that is not known, or a file that is not as it should be."""


@dataclass(frozen=True, slots=True)
class Row:
    """One package; `takes` is the range that is asked for, where it is asked for by name."""

    name: str
    takes: str
    version: str
    licence: str
    about: str


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def locked_version(root: Path, name: str) -> str:
    lock = (root / "requirements.lock").read_text(encoding="utf-8")
    found = re.search(rf"^{re.escape(name)}==(\S+)", lock, re.M)
    if not found:
        raise LicenceError(
            f"{name} is not in requirements.lock\n  fix: compile it anew, as CONTRIBUTING.md says, then make setup"
        )
    return found[1]


def licence_of(name: str) -> str:
    data = importlib.metadata.metadata(name)
    if name in TEXTS:
        return TEXTS[name]
    told = [str(text) for text in data.get_all("License-Expression") or []]
    told += [str(text).strip().splitlines()[0] for text in data.get_all("License") or [] if str(text).strip()]
    classified = [c.split(" :: ")[-1] for c in data.get_all("Classifier") or [] if c.startswith("License ::")]
    for words in [*told, *classified]:
        found = str(WORDS.get(words, words))
        if set(re.split(" AND | OR ", found)) <= KNOWN:
            return found
    raise LicenceError(
        f"the metadata of {name} tells no licence that is known\n  fix: read it, and add it to TEXTS in tools/licences.py"
    )


def requirements(name: str, extras: set[str]) -> Iterator[Requirement]:
    """What a package needs on this machine."""
    for text in importlib.metadata.requires(name) or []:
        wanted = Requirement(text)
        if wanted.marker is None or any(wanted.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
            yield wanted


def closure(direct: list[Requirement]) -> dict[str, set[str]]:
    """Who needs each package, by its name; "" for ourselves."""
    needed: dict[str, set[str]] = {}
    waiting = [("", wanted) for wanted in direct]
    done: set[tuple[str, frozenset[str]]] = set()
    while waiting:
        by, wanted = waiting.pop()
        name = canonical(wanted.name)
        needed.setdefault(name, set()).add(by)
        if (name, frozenset(wanted.extras)) not in done:
            done.add((name, frozenset(wanted.extras)))
            waiting += [(name, further) for further in requirements(name, wanted.extras)]
    return needed


def reasons(root: Path) -> dict[str, str]:
    """The remark behind each line of pyproject.toml's lists."""
    lines = re.findall(r'^  "([\w.-]+)[^"]*",\s*# (.*)$', (root / "pyproject.toml").read_text(encoding="utf-8"), re.M)
    return {canonical(name): remark for name, remark in lines}


def python_rows(root: Path, direct: list[str], known: set[str]) -> list[Row]:
    wanted = [Requirement(text) for text in direct]
    ranges = {canonical(r.name): ",".join(sorted(map(str, r.specifier), reverse=True)) for r in wanted}
    why, rows = reasons(root), []
    for name, by in sorted(closure(wanted).items()):
        if name in known:
            continue
        about = why.get(name, "") if name in ranges else "for " + ", ".join(f"`{other}`" for other in sorted(by - {""}))
        rows.append(Row(name, ranges.get(name, ""), locked_version(root, name), licence_of(name), about))
    return rows


def npm_rows(folder: Path) -> list[Row]:
    """Programs that come once for each platform share a row."""
    packages = json.loads((folder / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    rows: dict[str, Row] = {}
    for path, entry in packages.items():
        name = path.rpartition("node_modules/")[2]
        if not name:
            continue
        name = entry.get("name", name)  # of what has another one here
        about = NPM.get(name, "")
        if entry.get("optional") and "os" in entry:
            about, name = (
                f"the program of `{name.split('/')[0].strip('@')}` for one platform",
                name.split("/")[0] + ("/workerd-*" if name.startswith("@cloudflare/") else "/*"),
            )
        if name == "@cloudflare/workerd-*":
            about = "the program of `workerd` for one platform"
        if not about:
            raise LicenceError(f"nothing says what {name} is for\n  fix: add it to NPM in tools/licences.py")
        rows[name] = Row(name, "", entry["version"], entry.get("license", ""), about)
        if not set(re.split(" AND | OR ", rows[name].licence)) <= KNOWN:
            raise LicenceError(f"{folder}/package-lock.json tells no licence of {name} that is known")
    return list(rows.values())


def pulumi_rows(root: Path) -> list[Row]:
    module = (root / "tools" / "pulumi" / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"{re.escape(PULUMI)} v(\S+)", module)
    if not found:
        raise LicenceError(f"tools/pulumi/go.mod does not require {PULUMI}")
    about = "the Pulumi CLI, where none is installed; as a release of its makers, else built from Go modules"
    provider = locked_version(root, "pulumi-cloudflare")
    plugin = Row(
        "pulumi-resource-cloudflare", "", provider, "Apache-2.0", "the official Cloudflare provider, by Pulumi itself"
    )
    return [Row(PULUMI, "", found[1], "Apache-2.0", about), plugin]


def chosen_rows() -> list[Row]:
    """What comes only for `local: { models: real }`; it is not locked, and was read on 2026-11-27."""
    from inferstack.toolchain import ONNX
    from inferstack.toolchain.weights import PACKAGES

    runs = [Row(ONNX.coordinates, "", ONNX.version, ONNX.licence, ONNX.about)]
    weights = [Row(each.coordinates, "", each.version, each.licence, each.about) for each in PACKAGES.values()]
    return [*runs, *weights]


def table(rows: list[Row]) -> list[str]:
    lines = ["| package | takes | tested with | licence | what it is for |", "| --- | --- | --- | --- | --- |"]
    return [*lines, *(f"| `{r.name}` | {r.takes} | {r.version} | {r.licence} | {r.about} |" for r in rows), ""]


def page(root: Path) -> str:
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    runtime = python_rows(root, project["dependencies"], set())
    local = python_rows(root, project["optional-dependencies"]["local"], {row.name for row in runtime})
    agents = python_rows(root, project["optional-dependencies"]["mcp"], {row.name for row in [*runtime, *local]})
    node = [row for folder in sorted((root / "tools" / "node").iterdir()) for row in npm_rows(folder)]
    return "\n".join(
        [
            "<!-- made by `make licences`; do not edit -->",
            "# Licences",
            "",
            INTRODUCTION,
            "## With `pip install inferstack`",
            "",
            *table(runtime),
            "## With `pip install 'inferstack[local]'`, besides",
            "",
            *table(local),
            "## With `pip install 'inferstack[mcp]'`, besides",
            "",
            *table(agents),
            "## By `inferstack setup`",
            "",
            *table([*node, *pulumi_rows(root)]),
            "## By `inferstack local models install`",
            "",
            *table(chosen_rows()),
        ]
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=f"write {PAGE}")
    parser.add_argument("--root", type=Path, default=ROOT, help="of the checkout (default: this one)")
    root = parser.parse_args().root.resolve()
    try:
        text = page(root)
        (root / PAGE).write_text(text, encoding="utf-8")
    except importlib.metadata.PackageNotFoundError as error:
        print(f"licences: error: {error.name} is not installed\n  fix: make setup", file=sys.stderr)
        return 1
    except (LicenceError, InvalidRequirement, OSError, ValueError, KeyError) as error:
        print(f"licences: error: {error}", file=sys.stderr)
        return 1
    print(f"licences: {PAGE} has {text.count(chr(10) + '| `')} packages")
    return 0


if __name__ == "__main__":
    sys.exit(main())
