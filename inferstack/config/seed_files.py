"""Seeds of KV namespaces: a file of keys and values, small enough to go up with a deployment.

Text is stored as it stands, a number as it is written, anything else as JSON. YAML 1.2, of which JSON is a part.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from inferstack.config.findings.finding import Findings
from inferstack.config.paths import leaves
from inferstack.config.tree import Node, plain, read

MOST_KEYS = 1000  # a bulk write takes 10,000, but all of them stand in the state
LONGEST_KEY = 512  # bytes; facts `limits.json`, KV
LARGEST_FILE = 1024 * 1024
KIND = "seed"


def entries(file: Path, findings: Findings) -> dict[str, tuple[str, Node]]:
    """Values by key, with where they stand; what is wrong with the file itself is a finding."""
    root = read(file, findings, KIND)
    if root is None:
        return {}
    return {str(key): (_text(node), node) for key, node in root.value.items()}


def _text(node: Node) -> str:
    if isinstance(node.value, str):
        return node.value
    return node.written or json.dumps(plain(node), ensure_ascii=False)


def seed_values(root: Path, name: str) -> dict[str, str]:
    """Of a file that a check found right."""
    return {key: text for key, (text, _) in entries(root / name, Findings()).items()}


def wrong_keys(found: dict[str, tuple[str, Node]]) -> Iterator[tuple[Node, str]]:
    """What KV does not take as a key."""
    for key, (_, node) in found.items():
        if (wrong := wrong_key(key)) is not None:
            yield node, wrong


def wrong_key(key: str) -> str | None:
    """Why KV does not take it."""
    if key in ("", ".", ".."):
        return f"`{key}` cannot be a key"
    size = len(key.encode())
    return f"the key `{key[:40]}…` has {size} bytes; KV takes {LONGEST_KEY}" if size > LONGEST_KEY else None


def missing(root: Path, name: str) -> str | None:
    """Why there is no such file: `outside` of the project, or not `there`."""
    path = root / name
    if leaves(path, root):
        return "outside"
    return None if path.is_file() else "there"
