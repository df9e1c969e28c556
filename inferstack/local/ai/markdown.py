"""`env.AI.toMarkdown`: text as it is, HTML and PDF turned into Markdown. Shapes: facts `ai-binding.md`, toMarkdown."""

from __future__ import annotations

import base64
import io
import uuid
from typing import Any

from inferstack.local._bytes import decoded
from inferstack.local.ai.embeddings import count_tokens

TEXT = ("text/plain", "text/markdown", "text/csv", "application/json", "application/xml", "text/xml")


EXTENSIONS = {
    ".pdf": "application/pdf",
    ".html": "text/html",
    ".htm": "text/html",
    ".xhtml": "application/xhtml+xml",
    ".xml": "application/xml",
    ".csv": "text/csv",
    ".json": "application/json",
    ".md": "text/markdown",
    ".txt": "text/plain",
}


class _Unsupported(Exception):
    """A type that nothing here reads."""


def supported() -> list[dict[str, str]]:
    """The kinds of files that are read here."""
    return [{"extension": extension, "mimeType": kind} for extension, kind in EXTENSIONS.items()]


def to_markdown(files: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One result for each `{name, mimeType, data: base64}`; a file that cannot be read is a result with `error`."""
    return [_one(file) for file in files]


def _one(file: dict[str, Any]) -> dict[str, Any]:
    name, full = str(file.get("name", "file")), str(file.get("mimeType", "")).strip().lower()
    kind = full.split(";")[0].strip()
    result = {"id": str(uuid.uuid4()), "name": name, "mimeType": kind}
    try:
        text = _convert(full, base64.b64decode(str(file.get("data", "")))).strip()
    except Exception as error:
        why = f"{kind} is not supported here" if isinstance(error, _Unsupported) else type(error).__name__
        why = "it is nested too deeply" if isinstance(error, RecursionError) else why
        return {**result, "format": "error", "error": f"{name} cannot be converted: {why}"}
    return {**result, "format": "markdown", "tokens": count_tokens(text), "data": text}


def _convert(kind: str, data: bytes) -> str:
    if kind == "application/pdf":
        from pypdf import PdfReader  # 100 ms, only when a PDF comes

        pages = [page.extract_text().strip() for page in PdfReader(io.BytesIO(data)).pages]
        return "\n\n".join(f"## Page {number}\n\n{text}" for number, text in enumerate(pages, 1))
    text = decoded(data, kind, html="html" in kind)
    kind = kind.split(";")[0].strip()
    if kind in ("text/html", "application/xhtml+xml"):
        from inferstack.local.ai.html import from_html  # 100 ms

        return from_html(text)
    if kind in TEXT or kind == "":
        return text
    raise _Unsupported
