"""`llms.txt` and `llms-full.txt` of the site, as llmstxt.org has them: the pages by the menu, and all of their text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

# Of no use to who writes a stack: named in llms.txt, left out of the full text (168 KB without them).
OPTIONAL = ("changelog.md", "contributing.md", "licences.md", "architecture.md", "coverage.md", "compared.md")


def files(root: Path, staged: Path) -> dict[str, str]:
    """Both, by name; `staged` has the pages as MkDocs gets them. Raises `OSError` for a page of the menu that is not there."""
    settings = yaml.safe_load((root / "mkdocs.yml").read_text(encoding="utf-8"))
    head = f"# {settings['site_name']}\n\n> {settings['site_description']}\n"
    lines, optional, whole = [head], list[str](), [head]
    for section, title, page in _pages(settings["nav"], "Start"):
        text = (staged / page).read_text(encoding="utf-8")
        entry = f"- [{title}]({page}): {_first_sentence(text)}"
        if page in OPTIONAL:
            optional.append(entry)
            continue
        if f"## {section}" not in lines:
            lines += [*([""] if len(lines) > 1 else []), f"## {section}", ""]
        lines.append(entry)
        whole.append(f"<!-- {page} -->\n\n{text.strip()}\n")
    lines += ["", "## Optional", "", *optional]
    return {"llms.txt": "\n".join(lines) + "\n", "llms-full.txt": "\n".join(whole)}


def _pages(nav: list[Any], section: str) -> Iterator[tuple[str, str, str]]:
    for entry in nav:
        [(title, value)] = entry.items()
        if isinstance(value, list):
            yield from _pages(value, title)
        else:
            yield section, title, value


def _first_sentence(text: str) -> str:
    """Of the first paragraph that is prose."""
    for block in text.split("\n\n"):
        prose = " ".join(block.split())
        if prose and not prose.startswith(("#", "<", "![", "|", "```", "---", "- ", "!!!", "[!")):
            end = prose.find(". ")
            return prose if end < 0 else prose[: end + 1]
    return ""
