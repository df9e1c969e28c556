"""Tests of one's own against a stack: pytest's fixtures are in `plugin`, what a test holds in its hands is here.

Looked up when it is used: pytest reads the plugin in every project where this is installed.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferstack.testing.running import RunningStack
    from inferstack.testing.sse import Event, events_of, text_of

__all__ = ["Event", "RunningStack", "events_of", "text_of"]
PLACES = {"RunningStack": "running", "Event": "sse", "events_of": "sse", "text_of": "sse"}


def __getattr__(name: str) -> Any:
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{PLACES[name]}"), name)
