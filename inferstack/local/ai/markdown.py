"""`env.AI.toMarkdown`: text as it is, HTML, PDF and CSV turned into Markdown. Shapes: facts `ai-binding.md`, toMarkdown."""

from __future__ import annotations

import base64
import csv
import io
import re
import uuid
from collections.abc import Callable
from typing import Any

from inferstack.local._bytes import decoded, whole
from inferstack.local.ai.embeddings import count_tokens
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.vision import describe

TEXT = ("text/plain", "text/markdown", "application/json", "application/xml", "text/xml")


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


IMAGES = {".jpeg": "image/jpeg", ".jpg": "image/jpeg", ".png": "image/png", ".webp": "image/webp"}
MIME_TYPES = EXTENSIONS | IMAGES
WordsIn = Callable[[bytes], list[str]]


class _Unsupported(Exception):
    """A type that nothing here reads."""


class _Locked(Exception):
    """A PDF with a password."""


def supported(*, images: bool = False) -> list[dict[str, str]]:
    """The kinds of files that are read here; `images` where somebody reads the words in them."""
    kinds = MIME_TYPES if images else EXTENSIONS
    return [{"extension": extension, "mimeType": kind} for extension, kind in kinds.items()]


def to_markdown(files: list[dict[str, Any]], words_in: WordsIn | None = None) -> list[dict[str, Any]]:
    """One result for each `{name, mimeType, data: base64}`; a file that cannot be read is a result with `error`.

    `words_in` reads the lines in an image; without it images are of no known kind.
    """
    return [_one(file, words_in) for file in files]


def _one(file: dict[str, Any], words_in: WordsIn | None) -> dict[str, Any]:
    name, full = str(file.get("name", "file")), str(file.get("mimeType", "")).strip().lower()
    kind = full.split(";")[0].strip()
    result = {"id": str(uuid.uuid4()), "name": name, "mimeType": kind}
    try:
        text = _convert(full, base64.b64decode(str(file.get("data", ""))), words_in).strip()
    except InferenceError as error:
        return {**result, "format": "error", "error": f"{name} cannot be converted: {error.message}"}
    except Exception as error:
        return {**result, "format": "error", "error": f"{name} cannot be converted: {_why(kind, error)}"}
    return {**result, "format": "markdown", "tokens": count_tokens(text), "data": text}


def _why(kind: str, error: Exception) -> str:
    if isinstance(error, _Unsupported):
        return f"{kind} is not supported here"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, UnicodeDecodeError):
        return f"its text is not {error.encoding}; name its charset in the type, as `{kind}; charset=…`"
    if kind == "application/pdf":
        return "it needs a password" if isinstance(error, _Locked) else "it is no PDF, or a damaged one"
    return str(error) or type(error).__name__


def _convert(kind: str, data: bytes, words_in: WordsIn | None) -> str:
    if words_in is not None and kind.split(";")[0].strip() in IMAGES.values():
        return _image(data, words_in)
    if kind.split(";")[0].strip() == "application/pdf":
        return _pages(data)
    text = decoded(data, kind, html="html" in kind)
    kind = kind.split(";")[0].strip()
    if kind == "text/csv":
        return _table(text)
    if kind in ("text/html", "application/xhtml+xml"):
        from inferstack.local.ai.html import from_html  # 100 ms

        return from_html(text)
    if kind in TEXT or kind == "":
        return text
    raise _Unsupported


def _image(data: bytes, words_in: WordsIn) -> str:
    """What it is, and its lines. Unsourced: Cloudflare lets a vision model tell, whose words are others each time."""
    about, lines = describe(data), words_in(data)
    return "\n\n".join([about, "\n".join(lines)]) if lines else about


def _pages(data: bytes) -> str:
    from pypdf import PdfReader  # 100 ms, only when a PDF comes

    reader = PdfReader(io.BytesIO(data))
    if reader.is_encrypted and not reader.decrypt(""):  # many are locked with no password at all
        raise _Locked
    # A font may map to half a character.
    pages = [whole(page.extract_text()).strip() for page in reader.pages]
    return "\n\n".join(f"## Page {number}\n\n{text}" for number, text in enumerate(pages, 1))


def _table(text: str) -> str:
    """CSV as a table. Unsourced: Cloudflare's pages list the format and show no answer."""
    sample = text.split("\n", 1)[0]
    separator = max(",;\t", key=sample.count)
    rows = [row for row in csv.reader(io.StringIO(text, newline=""), delimiter=separator) if row]
    if not rows:
        return ""
    width = max(map(len, rows))
    lines = [[_cell(cell) for cell in row] + [""] * (width - len(row)) for row in rows]
    lines.insert(1, ["---"] * width)
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _cell(text: str) -> str:
    return re.sub(r"\s*\n\s*", " ", text.strip()).replace("|", "\\|")
