"""Mutants that no test can tell from the original, by module: (function, change) → why. They are not tried."""

from __future__ import annotations

TYPES_ONLY = "read by type checkers only"

EQUIVALENT: dict[str, dict[tuple[str, str], str]] = {
    "inferstack/plugin/diff.py": {
        ("", "'add' → 'XXaddXX'"): TYPES_ONLY,
        ("", "'delete' → 'XXdeleteXX'"): TYPES_ONLY,
        ("", "'update' → 'XXupdateXX'"): TYPES_ONLY,
    },
}
