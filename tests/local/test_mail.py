"""Mail of Workers: both forms of `send`, what a binding refuses, and what is kept instead of being sent."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from inferstack.live.mails import sent as mails_of
from inferstack.live.mails import text
from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """import { EmailMessage } from "cloudflare:email";

export default { async fetch(request, env) {
  const { raw, binding, from, to, ...parts } = await request.json();
  const message = raw === undefined ? { from, to, ...parts } : new EmailMessage(from, to, raw);
  try {
    return Response.json(await env[binding ?? "MAIL"].send(message));
  } catch (error) {
    return new Response(error.message, { status: 400 });
  }
} };"""
ME, YOU = "me@example.com", "you@example.com"
RAW = f"From: Me <{ME}>\r\nTo: {YOU}\r\nMessage-ID: <1@example.com>\r\nSubject: =?utf-8?q?gr=C3=BC=C3=9Fe?=\r\n\r\nhello\r\n"
BINDINGS = [
    {"name": "MAIL", "type": "send_email"},
    {"name": "ONLY", "type": "send_email", "allowed_destination_addresses": [YOU], "allowed_sender_addresses": [ME]},
    {"name": "ONE", "type": "send_email", "destination_address": YOU},
]


@pytest.fixture(scope="module")
def mail(cloudflare: Api) -> Api:
    deploy(cloudflare, "mail", CODE, BINDINGS)
    return cloudflare


def sent(api: Api, method: str = "GET") -> list[dict[str, Any]]:
    url = f"http://127.0.0.1:{api.running.api_port}/__local/mails"
    found: list[dict[str, Any]] = httpx.request(method, url, headers=dict(api.client.headers)).json()["result"]
    return found


def send(api: Api, **message: Any) -> httpx.Response:
    return api.worker("mail", "POST", "/", json=message)


def test_a_raw_mail_is_kept(mail: Api) -> None:
    assert send(mail, **{"from": ME, "to": YOU, "raw": RAW}).json()["messageId"].endswith("@example.com>")
    kept = sent(mail)[0]
    assert (kept["from"], kept["to"], kept["subject"], kept["text"].strip()) == (ME, [YOU], "grüße", "hello")
    assert sent(mail, "DELETE") == []


def test_a_mail_by_its_parts_is_kept(mail: Api) -> None:
    file = {"filename": "a.txt", "content": "aGVsbG8=", "type": "text/plain", "disposition": "attachment"}
    parts = {"subject": "hi", "html": "<b>x</b>", "cc": ["third@example.com"], "attachments": [file]}
    assert send(mail, **{"from": {"email": ME, "name": "Me"}, "to": [YOU], **parts}).is_success
    kept = sent(mail)[0]
    assert kept["to"] == [YOU, "third@example.com"]
    assert (kept["html"], kept["attachments"]) == ("<b>x</b>", ["a.txt"])


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ({"binding": "ONLY", "to": "other@example.com", "text": "x"}, "email to other@example.com not allowed"),
        ({"binding": "ONLY", "from": "other@example.com", "text": "x"}, "email from other@example.com not allowed"),
        ({"binding": "ONE", "to": [YOU, "other@example.com"], "text": "x"}, "email to other@example.com not allowed"),
        ({"raw": RAW.replace(ME, "other@example.com")}, "From: header does not match mail from"),
        ({"raw": RAW.replace("Message-ID", "X-ID")}, "invalid message-id"),
        ({"raw": "Received: x\r\n" + RAW}, "invalid headers set"),
        ({}, "a mail needs a `text` or an `html`"),
        ({"to": [], "text": "x"}, "a mail needs a `to`"),
        ({"from": "nobody", "text": "x"}, "a mail needs a `from`"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(mail: Api, message: dict[str, Any], words: str) -> None:
    answer = send(mail, **{"from": ME, "to": YOU, **message})
    assert (answer.status_code, answer.text) == (400, words)


def test_a_command_lists_them(mail: Api) -> None:
    send(mail, **{"from": ME, "to": YOU, "subject": "by a command", "text": "words of it"})
    shown = text(mails_of(mail.folder))
    assert f"{ME} → {YOU}\nby a command\n\nwords of it" in shown
    assert mails_of(mail.folder, clear=True) == []
