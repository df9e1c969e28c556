"""What `inferstack setup` found, so that a run need not look again."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from inferstack.errors import ToolchainError
from inferstack.toolchain.folders import cache_folder
from inferstack.versions import PULUMI

PROJECT_RECORD = ".inferstack/toolchain.json"  # of one project, before the user's own


@dataclass(frozen=True, slots=True, kw_only=True)
class Toolchain:
    """The Pulumi CLI, where it is from (PATH, installer, go), and whether Pulumi has the official Cloudflare provider."""

    pulumi: Path
    pulumi_from: str
    official_plugin: bool

    @property
    def provider(self) -> str:
        """Which provider serves the resource types of Cloudflare on a local stack."""
        return "official provider" if self.official_plugin else "stand-in provider"


def record_file() -> Path:
    """One for each version of Pulumi that this package wants: two installations may differ."""
    return cache_folder() / f"toolchain-{PULUMI}.json"


def write_toolchain(found: Toolchain, file: Path | None = None) -> None:
    file = file or record_file()
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(found), indent=2, default=str) + "\n")
    partial.replace(file)


def read_toolchain(root: Path) -> Toolchain:
    for file in (root / PROJECT_RECORD, record_file()):
        try:
            facts = json.loads(file.read_text())
            toolchain = Toolchain(**facts | {"pulumi": Path(facts["pulumi"])})
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if not toolchain.pulumi.exists():
            raise ToolchainError(f"the Pulumi CLI is gone from {toolchain.pulumi}\n  fix: inferstack setup")
        return toolchain
    raise ToolchainError("the Pulumi CLI and the Workers runtime are not set up yet\n  fix: inferstack setup")
