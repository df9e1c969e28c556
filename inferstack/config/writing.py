"""YAML as this language reads it: texts that some versions of YAML take for numbers stand in quotes."""

from __future__ import annotations

from typing import Any

import yaml

from inferstack.config.tree import LATER_NUMBER


class _Dumper(yaml.SafeDumper):
    """PyYAML's own, which quotes what YAML 1.1 takes for something else, and what 1.2 does."""


_Dumper.add_implicit_resolver("!later-number", LATER_NUMBER, list("-+.0123456789"))


def yaml_text(data: Any, *, flow: bool | None = False) -> str:
    """In the order given; `flow=None` writes mappings without mappings in them in one line."""
    options: dict[str, Any] = {"sort_keys": False, "width": 110, "allow_unicode": True, "default_flow_style": flow}
    return yaml.dump(data, Dumper=_Dumper, **options)  # type: ignore[no-any-return]
