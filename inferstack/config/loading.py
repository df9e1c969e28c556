"""From a stack's name to its `StackSpec`: find the files, merge them, validate, check."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from inferstack.config._merge import read_stack
from inferstack.config._partial import PartialReport, fitting_part
from inferstack.config._schema import validate
from inferstack.config.checks import run_checks
from inferstack.config.findings.diagnostics import closest, format_findings
from inferstack.config.findings.finding import Findings, TooMany
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import Node, plain
from inferstack.errors import ConfigError, StackNotFound


@dataclass(frozen=True, slots=True)
class Checked:
    """What a stack's files say: `spec` when they can be used, the merged tree, and all findings."""

    spec: StackSpec | None
    tree: Node | None
    findings: Findings
    declared: StackSpec | None = None  # the same though the checks found it wrong


def stack_names(root: Path) -> list[str]:
    """The stacks of a project: the files and folders under `stacks/` that are not named `base` or `_…`."""
    folder = root / "stacks"
    found = {file.stem for file in folder.glob("*.yaml")} | {file.parent.name for file in folder.glob("*/*.yaml")}
    return sorted(name for name in found if name != "base" and not name.startswith(("_", ".")))


def stack_files(name: str, root: Path) -> list[Path]:
    """`stacks/<name>.yaml`, then `stacks/<name>/*.yaml`; else the sample `examples/<name>.yaml`. Raises `StackNotFound`."""
    single, folder, sample = (
        root / where for where in (f"stacks/{name}.yaml", f"stacks/{name}", f"examples/{name}.yaml")
    )
    files = [single] if single.exists() or single.is_symlink() else []  # a link that goes round is a finding
    if not files and not folder.is_dir() and "/" not in name and sample.is_file():
        return [sample]
    files += sorted(folder.glob("*.yaml")) if folder.is_dir() and "/" not in name else []
    if not files:
        names = stack_names(root)
        listed = f"the stacks here are: {', '.join(names)}" if names else "there is no file under stacks/ yet"
        raise StackNotFound(
            f"there is no stack `{name}` (no file stacks/{name}.yaml){closest(name, names)}\n  {listed}"
        )
    return files


def check_stack(name: str, root: Path) -> Checked:
    """Everything that is wrong or doubtful. Raises `StackNotFound`."""
    findings = Findings()
    tree, spec = None, None
    with suppress(TooMany):
        tree = read_stack(name, stack_files(name, root), root, findings)
        if tree is not None and not findings.wrong:
            report = Report(findings, tree)
            data = plain(tree)
            spec = validate(data, report)
            if spec is not None:
                run_checks(spec, root, report)
            elif (part := fitting_part(data)) is not None:
                run_checks(part[0], root, PartialReport(report, data, part[1]))
    return Checked(None if findings.wrong else spec, tree, findings, spec)


def load_stack(name: str, root: Path) -> StackSpec:
    """Raises `StackNotFound`, and `ConfigError` with every finding of every file; warnings alone do not stop."""
    checked = check_stack(name, root)
    if checked.spec is None:
        raise ConfigError(format_findings(checked.findings, root))
    return checked.spec
