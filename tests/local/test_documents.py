"""Documents become Markdown: whatever charset they are in, of whatever kind; what cannot be read is told by name and reason."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from pypdf import PdfWriter

from inferstack.local.ai.markdown import to_markdown
from tests.conftest import Api
from tests.local.test_workers_run import deploy
from tests.pdf import pdf

GERMAN, JAPANESE = "Das Büro schließt um fünf Uhr.", "事務所は五時に閉まります。"


def converted(kind: str, data: bytes, name: str = "d") -> dict[str, Any]:
    file = {"name": name, "mimeType": kind, "data": base64.b64encode(data).decode()}
    (result,) = to_markdown([file])
    return result


def page(text: str, charset: str) -> str:
    return f"<html><head><meta charset='{charset}'><title>T</title></head><body><p>{text}</p></body></html>"


def locked(password: str) -> bytes:
    writer = PdfWriter(io.BytesIO(pdf("Locked words")))
    writer.encrypt(password, "owner", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("text/plain", GERMAN.encode(), GERMAN),
        ("text/plain", b"\xef\xbb\xbf" + GERMAN.encode(), GERMAN),
        ("text/plain; charset=iso-8859-1", GERMAN.encode("latin-1"), GERMAN),
        ("text/plain; charset=windows-1252", "„Büro“".encode("cp1252"), "„Büro“"),
        ("text/plain; charset=utf-16", GERMAN.encode("utf-16"), GERMAN),
        ("text/plain", GERMAN.encode("utf-16"), GERMAN),
        ("text/plain", b"\xfe\xff" + GERMAN.encode("utf-16-be"), GERMAN),
        ('Text/Plain; Charset="Shift_JIS"', JAPANESE.encode("shift_jis"), JAPANESE),
        ("text/markdown; charset=euc-jp", JAPANESE.encode("euc-jp"), JAPANESE),
        ("text/html", page(GERMAN, "iso-8859-1").encode("latin-1"), GERMAN),
        ("text/html", page(JAPANESE, "shift_jis").encode("shift_jis"), JAPANESE),
        ("text/html; charset=shift_jis", page(JAPANESE, "utf-8").encode("shift_jis"), JAPANESE),
        ("text/html", page(GERMAN, "iso-8859-1").encode("utf-16"), GERMAN),
        ("text/plain", "👩‍🚀 é\u0301 \u202eabc\u202c \u200bx".encode(), "👩‍🚀 é\u0301 \u202eabc\u202c \u200bx"),
        ("text/csv", b"a,b\n1,2\n", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("text/csv", b"\xef\xbb\xbfa;b\r\n1;2\r\n", "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("text/csv", b'n,t\n"Doe, J","a\nb|c"\nx\n', "| n | t |\n| --- | --- |\n| Doe, J | a b\\|c |\n| x |  |"),
        ("text/csv", b"", ""),
        ("application/pdf", pdf("The keys are in the drawer."), "## Page 1\n\nThe keys are in the drawer."),
        ("application/pdf", pdf(""), "## Page 1"),
        ("application/pdf", locked(""), "## Page 1\n\nLocked words"),
        ("text/html", b"<p>Refunds<script>x()</script> take<style>y{}</style> 17 days.", "Refunds take 17 days."),
    ],
)
def test_a_document_is_read(kind: str, data: bytes, text: str) -> None:
    result = converted(kind, data)
    assert (result["format"], result.get("data"), result.get("error")) == ("markdown", text, None)


@pytest.mark.parametrize(
    ("kind", "data", "why"),
    [
        ("text/plain", GERMAN.encode("latin-1"), "its text is not utf-8; name its charset"),
        ("text/html", page(GERMAN, "utf-8").encode("latin-1"), "its text is not utf-8; name its charset"),
        ("text/plain; charset=shift_jis", b"\x80\x81\xff", "its text is not shift_jis"),
        ("text/plain; charset=klingon", b"x", "the charset klingon is not known"),
        ("application/pdf", b"not a pdf", "it is no PDF, or a damaged one"),
        ("application/pdf", pdf("x")[:60], "it is no PDF, or a damaged one"),
        ("application/pdf", b"", "it is no PDF, or a damaged one"),
        ("application/pdf", locked("secret"), "it needs a password"),
        ("video/mp4", b"\0", "video/mp4 is not supported here"),
    ],
)
def test_what_cannot_be_read_is_told_by_name_and_reason(kind: str, data: bytes, why: str) -> None:
    result = converted(kind, data, "plan.x")
    assert result["format"] == "error"
    assert result["error"].startswith(f"plan.x cannot be converted: {why}")


def test_a_worker_and_the_api_convert_alike(cloudflare: Api) -> None:
    code = """export default { async fetch(request, env) {
      const blob = new Blob([await request.arrayBuffer()], { type: request.headers.get("content-type") });
      return Response.json((await env.AI.toMarkdown([{ name: "b.txt", blob }]))[0].data);
    } };"""
    deploy(cloudflare, "converter", code, [{"type": "ai", "name": "AI"}])
    kind, data = "text/plain; charset=shift_jis", JAPANESE.encode("shift_jis")
    seen = cloudflare.worker("converter", "POST", "/", content=data, headers={"content-type": kind})
    assert seen.json() == JAPANESE
    files = [("files", ("b.txt", data, kind)), ("files", ("k.pdf", pdf("Two words"), "application/pdf"))]
    answer = cloudflare.client.post("/ai/tomarkdown", files=files).json()["result"]
    assert [result["data"] for result in answer] == [JAPANESE, "## Page 1\n\nTwo words"]
    assert cloudflare.client.post("/ai/tomarkdown", data={"x": "y"}).json()["errors"][0]["code"] == 7001
    kinds = cloudflare.client.get("/ai/tomarkdown/supported").json()["result"]
    assert {"extension": ".pdf", "mimeType": "application/pdf"} in kinds
