"""`inferstack local mails`: what Workers of the local Cloudflare sent, newest first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from inferstack.local import control


def sent(folder: Path, *, clear: bool = False) -> list[dict[str, Any]]:
    """Of the local Cloudflare's own account. Raises `UserError` where none runs."""
    found: list[dict[str, Any]] = control(folder, "DELETE" if clear else "GET", "mails")
    return found


def text(mails: list[dict[str, Any]]) -> str:
    """Head and words of each, as a mail program would show them."""
    return "\n\n".join(
        f"{each['sent_at']}  {each['from']} → {', '.join(each['to'])}\n{each['subject']}\n\n"
        f"{(each['text'] or each['html'] or '').strip()}"
        for each in mails
    )
