"""Stacks of a few lines, checked in a project that has small templates: what is said of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from inferstack.author.check import check

ACCOUNT = "0123456789abcdef0123456789abcdef"
DATE = "2026-06-01"
CHAT = "@cf/meta/llama-3.2-3b-instruct"
EMBED = "@cf/baai/bge-base-en-v1.5"
JWT = {"jwks_url": "https://id.example/jwks", "issuer": "a", "audience": "b"}
PLAIN = {"template": "plain", "compatibility_date": DATE}


def template(root: Path, name: str, text: str) -> None:
    (root / "templates" / name).mkdir(exist_ok=True)
    (root / "templates" / name / "template.yaml").write_text(text)


def found(root: Path, **stack: Any) -> list[dict[str, Any]]:
    (root / "stacks" / "s.yaml").write_text(
        yaml.safe_dump({"environment": "x", "target": "local", **stack}, sort_keys=False)
    )
    entries: list[dict[str, Any]] = json.loads(check(["s"], root).show("json"))
    return entries


def codes(root: Path, **stack: Any) -> list[str]:
    return [entry["code"] for entry in found(root, **stack)]


def said(root: Path, **stack: Any) -> list[str]:
    return [f"{entry['code']} {entry['message']} → {entry['fix']}" for entry in found(root, **stack)]


def worker(root: Path, **parts: Any) -> list[str]:
    """What is said of a stack with one Worker."""
    return said(root, workers={"w": {**PLAIN, **parts}})
