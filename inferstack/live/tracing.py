"""`inferstack local traces`: whether the Workers of the running local Cloudflare leave traces."""

from __future__ import annotations

from pathlib import Path

from inferstack.local import control


def switch(folder: Path, do: str) -> None:
    """`do` is on, off or clear."""
    if do == "clear":
        control(folder, "DELETE", "traces")
    else:
        control(folder, "PUT", "traces", {"on": do == "on"})
