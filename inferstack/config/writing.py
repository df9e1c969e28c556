"""YAML that this language reads back as it was."""

from __future__ import annotations

from typing import Any

import yaml

from inferstack.config.tree import LATER_NUMBER

# PyYAML 6 writes these in plain and single quotes as line breaks, which are read as spaces or as line feeds.
BREAKS = "\x85\u2028\u2029"


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, which quotes what YAML 1.1 takes for something else, and what 1.2 does."""


_Dumper.add_implicit_resolver("!later-number", LATER_NUMBER, list("-+.0123456789"))


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if any(sign in value for sign in BREAKS) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(data: Any, *, flow: bool | None = False) -> str:
    """In the order given; `flow=None` writes mappings without mappings in them in one line."""
    options: dict[str, Any] = {"sort_keys": False, "width": 110, "allow_unicode": True, "default_flow_style": flow}
    return yaml.dump(data, Dumper=_Dumper, **options)  # type: ignore[no-any-return]
