"""Service-worker syntax (`addEventListener("fetch", …)`), which versions of Workers do not take: such code becomes a module.

Facts: a version has a main module (API of Workers, 2026-08); the old upload, `body_part`, makes none that can be rolled out.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

FRAME = Path(__file__).parent / "script.js"
FILE = "service-worker.js"  # what the bundle calls it
LISTENS = re.compile(r"\baddEventListener\s*\(\s*[\"'`](?:fetch|scheduled|queue)[\"'`]")
EXPORTS = re.compile(r"\bexport\b")


def is_script(code: str) -> bool:
    """Whether code listens instead of exporting handlers; a word in a comment counts as an export, and the bundler knows."""
    return bool(LISTENS.search(code)) and not EXPORTS.search(code)


def as_module(shown: str, more: str) -> str:
    """Code that makes globals of the bindings, runs the entry (a path from the project), and exports what it listens to.

    `more` is JavaScript for before it.
    It goes to the bundler as text: a file's path would stand in the bundle, and be another one on each machine.
    """
    frame = FRAME.read_text().replace('"THE SITE";\n', more)
    return frame.replace('"THE CODE"', json.dumps(f"./{shown}"))
