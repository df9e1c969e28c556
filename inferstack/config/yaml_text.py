"""YAML that is read back as it was."""

from __future__ import annotations

from typing import Any

import yaml

# PyYAML 6 writes these in plain and single quotes as line breaks, which are read as spaces or as line feeds.
BREAKS = "\x85\u2028\u2029"


class _Dumper(yaml.SafeDumper):
    pass


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = '"' if any(sign in value for sign in BREAKS) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def yaml_text(data: Any, *, flow: bool | None = False) -> str:
    """`data` in the order it has; `flow` None puts what holds only scalars on one line."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, default_flow_style=flow, width=110, allow_unicode=True)
