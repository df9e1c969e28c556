"""`check` of a 200-worker stack of 30 files, against PyYAML's C loader and bare pydantic on the same data; and `--help`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from inferstack.author.check import check
from inferstack.config import StackSpec

FILES, WORKERS = 30, 200


def write_large_stack(root: Path, templates: Path) -> None:
    (root / "stacks" / "big").mkdir(parents=True)
    (root / "templates").symlink_to(templates)
    (root / "migrations").mkdir()
    for number in range(FILES):
        names = [f"w{i}" for i in range(WORKERS) if i % FILES == number]
        data: dict[str, Any] = (
            {"environment": "big", "account": "0123456789abcdef0123456789abcdef"} if number == 0 else {}
        )
        data["models"] = {
            f"chat-{name}": {"model": "@cf/meta/llama-3.2-3b-instruct", "max_tokens": 300} for name in names
        }
        data["models"] |= {f"embed-{name}": {"model": "@cf/baai/bge-base-en-v1.5"} for name in names}
        data["indexes"] = {name: {"model": f"embed-{name}", "metadata": {"topic": "string"}} for name in names}
        data["databases"] = {name: {"migrations": "migrations"} for name in names}
        data["buckets"] = {name: {} for name in names}
        data["namespaces"] = {name: {} for name in names}
        data["queues"] = {name: {"consumer": {"worker": name, "batch_size": 5}} for name in names}
        data["workers"] = {name: _worker(name) for name in names}
        (root / "stacks" / "big" / f"{number:02}.yaml").write_text(yaml.safe_dump(data, sort_keys=False))


def _worker(name: str) -> dict[str, Any]:
    bindings = {"AI": {"ai": True}, "DOCS": {"index": name}, "DB": {"database": name}, "SOURCES": {"bucket": name}}
    return {
        "template": "rag",
        "compatibility_date": "2026-06-01",
        "models": {"chat": f"chat-{name}", "embedding": f"embed-{name}"},
        "bindings": bindings | {"CACHE": {"namespace": name}, "INGEST": {"queue": name}},
        "secrets": {"API_TOKEN": "env:PATH"},
        "options": {"top_k": 4, "chunk_words": 120},
    }


def ours(root: Path) -> None:
    found = check(["big"], root)
    assert not found.wrong, found.show("text")


def theirs(root: Path) -> None:
    merged: dict[str, Any] = {}
    for file in sorted((root / "stacks" / "big").glob("*.yaml")):
        for key, value in yaml.load(file.read_text(), Loader=yaml.CSafeLoader).items():
            merged[key] = {**merged.get(key, {}), **value} if isinstance(value, dict) else value
    StackSpec.model_validate(merged)
