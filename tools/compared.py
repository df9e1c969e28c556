"""Writes docs/compared.md from tools/compared.yaml: row by row what we and our neighbours can, with the proof of ours.

python tools/compared.py
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
SOURCE, TARGET = "tools/compared.yaml", "docs/compared.md"
OTHERS = ("wrangler", "alchemy", "sst", "terraform")
HEAD = """<!-- made by `python tools/compared.py` from tools/compared.yaml; do not edit -->
# Compared with its neighbours

What wrangler (with `cf`), Alchemy, SST, Terraform or Pulumi by themselves, and inferstack can: Y yes, P in part, N not found, ?
not looked at. Of the others it was read in their code and documentation between 2026-08-22 and 2026-11-25; they move. The proof
of what stands under inferstack is a test (below `tests/`) or the page that says how. Corrections are welcome.
"""


def rows(root: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((root / SOURCE).read_text(encoding="utf-8"))
    return found


def missing(root: Path, proof: str) -> str | None:
    """What of a proof is not there: its file, its test, or its anchor."""
    path, _, test = proof.partition("::")
    path, _, anchor = path.partition("#")
    if not (root / path).is_file():
        return path
    text = (root / path).read_text(encoding="utf-8")
    if test and not re.search(rf"^def {test}\(", text, re.M):
        return proof
    if anchor and anchor not in {_slug(title) for title in re.findall(r"^#+ (.+)$", text, re.M)}:
        return proof
    return None


def page(root: Path) -> str:
    found = rows(root)
    counts = Counter(each["us"][0] for each in found)
    lines = [HEAD, f"Of {len(found)} rows: {counts['Y']} Y, {counts['P']} P, {counts['N']} N.\n"]
    lines += [
        "| # | feature | wrangler | Alchemy | SST | Terraform, Pulumi | inferstack | proof | |",
        "| --- " * 9 + "|",
    ]
    for each in found:
        cells = [str(each["row"]), each["feature"], *(each[name] for name in OTHERS)]
        cells += [each["us"], _shown(each["proof"]), each.get("note", "")]
        lines.append(f"| {' | '.join(cell.replace('|', ' ') for cell in cells)} |")
    return "\n".join(lines) + "\n"


def _shown(proof: str) -> str:
    """A page as a link; a test by its name, since the site has no tests."""
    if not proof.startswith("docs/"):
        return f"`{proof.removeprefix('tests/')}`"
    return f"[{proof.removeprefix('docs/').partition('#')[0]}]({proof.removeprefix('docs/')})"


def _slug(title: str) -> str:
    """As the site makes anchors of headings."""
    return re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title.lower())).strip("-")


def main() -> int:
    wrong = [f"row {each['row']}: {lack}" for each in rows(ROOT) if (lack := missing(ROOT, each["proof"]))]
    if wrong:
        print("compared: error: proofs that are not there:\n  " + "\n  ".join(wrong), file=sys.stderr)
        return 1
    (ROOT / TARGET).write_text(page(ROOT), encoding="utf-8")
    print(f"compared: {TARGET} is written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
