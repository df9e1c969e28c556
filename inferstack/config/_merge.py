"""Files into one tree: `extends`, folders of files, Pulumi's overrides; then loops and `${…}` filled in.

Order, later wins: the files of `extends` as listed, the file itself (of a folder: its files by name), then what
`Pulumi.<stack>.yaml` has under `inferstack:overrides`. Mappings merge by key, null removes, a list replaces a list
unless it is tagged `!append`.
"""

from __future__ import annotations

from functools import reduce
from pathlib import Path

from inferstack.config._joining import merge
from inferstack.config._loops import fill
from inferstack.config.findings.diagnostics import Place, closest
from inferstack.config.findings.finding import Findings
from inferstack.config.paths import foreign, leaves, real_path
from inferstack.config.tree import Node, read

OVERRIDES = "inferstack:overrides"


def read_stack(name: str, files: list[Path], root: Path, findings: Findings) -> Node | None:
    """One tree of all of a stack's files, or None when one of them cannot be used."""
    inside = [file for file in files if not _outside(file, root, findings)]
    trees = [tree for file in inside if (tree := _with_bases(file, root, [], findings))]
    over = _overrides(root / f"Pulumi.{name}.yaml", root, findings)
    if not trees or findings.wrong:
        return None
    merged = reduce(merge, [*trees, over] if over else trees)
    return fill(merged, {"stack": name, "environment": name}, findings)


def _outside(file: Path, root: Path, findings: Findings) -> bool:
    """Findings show the line they stand at, so that a link would show any file of the machine."""
    if not foreign(file, root):
        return False
    findings.add("IS017", Place(file, 1, 1), "the file is a link that leaves the project", "put the file itself there")
    return True


def _overrides(file: Path, root: Path, findings: Findings) -> Node | None:
    if not file.is_file() or _outside(file, root, findings):
        return None
    node = read(file, findings)
    config = node.value.get("config") if node else None
    if config is None or not isinstance(config.value, dict):
        return None
    found = config.value.get(OVERRIDES)
    return found if found is not None and isinstance(found.value, dict) else None


def _with_bases(file: Path, root: Path, chain: list[Path], findings: Findings) -> Node | None:
    node = read(file, findings)
    if node is None:
        return None
    given = node.value.pop("extends", None)
    if given is None:
        return node
    bases = given.value if isinstance(given.value, list) else [given]
    chain = [*chain, real_path(file)]
    trees = []
    for base in bases:
        other = real_path(file.parent / str(base.value))
        if not _refused(base, other, root, chain, findings) and (tree := _with_bases(other, root, chain, findings)):
            trees.append(tree)
    return reduce(merge, [*trees, node])


def _refused(base: Node, other: Path, root: Path, chain: list[Path], findings: Findings) -> bool:
    text = f"`extends: {base.value}`"
    if leaves(other, root):
        findings.add("IS017", base.place, f"{text}: the path leaves the project", "name a file under stacks/")
    elif other in chain:
        findings.add("IS016", base.place, f"{text}: the files extend each other in a circle", "remove one `extends`")
    elif not other.is_file():
        here = [file.name for file in base.place.file.parent.glob("*.yaml")]
        near = closest(str(base.value), here)
        findings.add("IS015", base.place, f"{text}: there is no such file{near}", "name a file under stacks/")
    else:
        return False
    return True
