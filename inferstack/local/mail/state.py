"""Mails that Workers sent, newest first, and what a binding refuses to send."""

from __future__ import annotations

import base64
import email
import email.policy
from email.message import EmailMessage
from email.utils import parseaddr
from typing import Any

from inferstack.local._store import Document, Store, hex_id, now

KIND = "sent_mail"
KEPT = 100  # the newest
# Bytes. No page names a limit of what is sent; of what comes in it is this (developers.cloudflare.com/email-routing/limits).
LARGEST = 25 * 1024 * 1024


class Refused(Exception):
    """The text is what the Worker sees."""


class Mails:
    """Of the account."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def newest(self) -> list[Document]:
        return self._store.newest(KIND, KEPT)

    def clear(self) -> None:
        for each in self._store.list_all(KIND):
            self._store.delete(KIND, each["id"])

    def send(self, body: Document, allowed: Document) -> str:
        """The message's id; raises `Refused`. `allowed` has the binding's lists, None where it has none."""
        sender = _address(body.get("from"))
        if not sender:
            raise Refused("a mail needs a `from`")
        if allowed["senders"] is not None and sender not in allowed["senders"]:
            raise Refused(f"email from {sender} not allowed")
        recipients = [_address(each) for name in ("to", "cc", "bcc") for each in _list(body.get(name))]
        if not recipients or not all(recipients):
            raise Refused("a mail needs a `to`")
        for each in recipients:
            if allowed["to"] is not None and each not in allowed["to"]:
                raise Refused(f"email to {each} not allowed")
        shown = _raw(sender, body["raw"]) if "raw" in body else _parts(body)
        found = {"id": hex_id(), "from": sender, "to": recipients, "sent_at": now(), **shown}
        found["message_id"] = f"<{found['id']}@{sender.partition('@')[2]}>"
        self._store.put(KIND, found["id"], found)
        for old in self._store.newest(KIND, -1)[KEPT:]:
            self._store.delete(KIND, old["id"])
        return str(found["message_id"])


def _address(given: Any) -> str:
    """Of text, or of an object with `email` and `name`."""
    text = given.get("email") if isinstance(given, dict) else given
    found = parseaddr(text)[1] if isinstance(text, str) else ""
    return found if "@" in found.strip("@") else ""


def _list(given: Any) -> list[Any]:
    return given if isinstance(given, list) else [] if given is None else [given]


def _raw(sender: str, encoded: str) -> Document:
    data = base64.b64decode(encoded)
    if len(data) > LARGEST:
        raise Refused(f"email of {len(data)} bytes exceeds limit of {LARGEST}")
    parsed = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(parsed, EmailMessage)
    if not parsed["message-id"]:
        raise Refused("invalid message-id")
    if parseaddr(str(parsed["from"] or ""))[1] != sender:
        raise Refused("From: header does not match mail from")
    if parsed["received"]:
        raise Refused("invalid headers set")
    bodies = {kind: parsed.get_body((kind,)) for kind in ("plain", "html")}
    texts = {kind: part.get_content() if part else None for kind, part in bodies.items()}
    files = [part.get_filename() for part in parsed.iter_attachments()]
    return {
        "subject": str(parsed["subject"] or ""),
        "text": texts["plain"],
        "html": texts["html"],
        "attachments": files,
        "raw": data.decode("utf-8", "replace"),
    }


def _parts(body: Document) -> Document:
    if body.get("text") is None and body.get("html") is None:
        raise Refused("a mail needs a `text` or an `html`")
    files = [each.get("filename") for each in body.get("attachments") or []]
    return {
        "subject": str(body.get("subject") or ""),
        **{n: body.get(n) for n in ("text", "html")},
        "attachments": files,
    }
