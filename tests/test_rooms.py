"""Each room imports only what the design lets it."""

from __future__ import annotations

import ast

from tests.conftest import ROOT

ALLOWED: dict[str, set[str]] = {
    "catalog": set(),
    "toolchain": set(),
    "config": {"catalog"},
    "render": {"config", "catalog", "toolchain"},
    "resources": {"config", "render", "catalog"},
    "provider": set(),
    "local": {"catalog", "toolchain"},
}


def test_imports_go_one_way() -> None:
    wrong = []
    for file in (ROOT / "inferstack").rglob("*.py"):
        parts = file.relative_to(ROOT / "inferstack").parts
        room = parts[0]
        for node in ast.walk(ast.parse(file.read_text())):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module == "inferstack":
                names += [f"inferstack.{alias.name}" for alias in node.names]
            for name in names:
                other = name.split(".")[1] if name.startswith("inferstack.") else ""
                if room in ALLOWED and other in ALLOWED and other != room and other not in ALLOWED[room]:
                    wrong.append(f"{file.relative_to(ROOT)} imports {name}")
    assert not wrong


def test_the_program_is_short() -> None:
    assert len((ROOT / "__main__.py").read_text().splitlines()) < 20
