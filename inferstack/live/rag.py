"""Talks to a stack's RAG Worker: loads documents, asks questions, prints the streamed answer with its sources."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from httpx_sse import EventSource

from inferstack import local
from inferstack.config import StackSpec, load_stack, yaml_values
from inferstack.engine.environment import local_host, local_settings
from inferstack.engine.runs import say
from inferstack.errors import AuthenticationError, UserError
from inferstack.live.vectors import until_loaded
from inferstack.resources.secret_sources import SecretMissing, read_secret

TOKEN_SECRET = "API_TOKEN"  # noqa: S105 - the name of a binding
LONGEST_TITLE = 500  # characters; what the Worker takes


class Endpoint:
    """A stack's RAG Worker and how it is reached."""

    def __init__(self, name: str, root: Path, url: str | None = None) -> None:
        spec = load_stack(name, root)
        self.key = next((key for key, worker in spec.workers.items() if worker.template == "rag"), "")
        if not self.key:
            raise UserError(f"stack `{name}` has no worker with the template `rag`")
        self._spec, self._root = spec, root
        self.url, headers = self._address(name, url)
        self.client = httpx.Client(base_url=self._base, headers=headers, timeout=60)

    def _address(self, name: str, url: str | None) -> tuple[str, dict[str, str]]:
        """The address to show, and the headers to send: names under localhost are not resolved everywhere."""
        if url or self._spec.target != "local":
            if not url:
                raise UserError(f"stack `{name}` runs on Cloudflare\n  fix: give the Worker's address with --url")
            self._base = url
            return url, {}
        running = local.find(local_settings(self._spec, self._root).folder)
        if running is None:
            raise UserError(f"the local Cloudflare of stack `{name}` does not run\n  fix: inferstack up {name}")
        host = f"{local_host(self._spec, self.key)}:{running.port}"
        self._base = f"http://127.0.0.1:{running.port}"
        return f"http://{host}", {"host": host}

    def token_headers(self) -> dict[str, str]:
        return {"authorization": f"Bearer {_secret(self._spec, self.key, self._root)}"}


def _secret(spec: StackSpec, key: str, root: Path) -> str:
    reference = spec.workers[key].secrets.get(TOKEN_SECRET, "")
    source = spec.source_of(reference) or ""
    kind, _, name = source.partition(":")
    if kind == "file":
        with suppress(SecretMissing):
            return read_secret(source, root)
    value = os.environ.get(name if kind == "env" else "RAG_API_TOKEN", "")
    if not value:
        raise UserError("the Worker's API token is not known here\n  fix: export RAG_API_TOKEN")
    return value


def read_documents(folder: Path) -> list[dict[str, Any]]:
    """Markdown files, with or without a front matter of `title` and `topic`; the path in the folder is the document's id."""
    documents = [document for file in sorted(folder.glob("**/*.md")) if (document := _document(file, folder))["text"]]
    if not documents:
        raise UserError(
            f"no documents in {folder}: there is no Markdown file (*.md) with text\n  fix: name another folder"
        )
    return documents


def _document(file: Path, folder: Path) -> dict[str, Any]:
    front, text = _front_matter(file)
    title = str(front.get("title") or _first_heading(text) or file.stem)[:LONGEST_TITLE]
    document = {"id": file.relative_to(folder).with_suffix("").as_posix(), "title": title, "text": text.strip()}
    return document if front.get("topic") is None else {**document, "topic": str(front["topic"])}


def _front_matter(file: Path) -> tuple[dict[str, Any], str]:
    """What stands between two lines of `---` at the top, and the rest."""
    try:
        whole = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{file} is no text in UTF-8\n  fix: save it as UTF-8, or take it out of the folder") from None
    head, closed, text = whole.removeprefix("---\n").partition("\n---\n")
    if not (whole.startswith("---\n") and closed):
        return {}, whole
    try:
        front = yaml_values(head)
    except ValueError as error:
        raise UserError(
            f"the front matter of {file} is no YAML of a document: {error}\n  fix: quote values with special signs"
        ) from None
    # Two rules with text between them are no front matter.
    return (front, text) if isinstance(front, dict) else ({}, whole)


def _first_heading(text: str) -> str | None:
    """Lines in a block of code are no headings."""
    outside = re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.MULTILINE | re.DOTALL)
    found = re.search(r"^#{1,6}[ \t]+(.+?)[ \t#]*$", outside, re.MULTILINE)
    return found[1] if found else None


def load(name: str, root: Path, folder: Path, url: str | None = None) -> int:
    """Send every document; returns how many."""
    endpoint, documents = Endpoint(name, root, url), read_documents(folder)
    headers = endpoint.token_headers()
    for place, document in enumerate(documents, 1):
        answer = send(endpoint, "POST", "/documents", document, headers)
        say(f"  [{place}/{len(documents)}] {document['title']} ({answer['chunks']} chunks)")
    try:
        until_loaded(load_stack(name, root), root, endpoint.key)
    except AuthenticationError:  # documents are sent with the Worker's own token; the account's is another
        say("  Vectorize shows them in some seconds; with CLOUDFLARE_API_TOKEN `load` waits for that")
    return len(documents)


def ask(
    name: str, root: Path, question: str, topic: str | None = None, url: str | None = None
) -> Iterator[tuple[str, Any]]:
    """Events of the streamed answer: ("token", text), ("sources", [...]), ("done", {})."""
    endpoint = Endpoint(name, root, url)
    body = {"question": question, "topic": topic, "stream": True}
    try:
        with endpoint.client.stream("POST", "/ask", json=body) as response:
            if response.status_code != 200:
                response.read()
                raise UserError(_problem(response))
            if "event-stream" not in response.headers["content-type"]:  # said at once: no document tells
                said = json.loads(response.read())
                yield from (("token", said["answer"]), ("sources", said["sources"]), ("done", {}))
                return
            for sent in EventSource(response).iter_sse():
                data = sent.json()
                yield sent.event, data["text"] if sent.event == "token" else data
    except httpx.TransportError as error:
        raise UserError(f"{endpoint.url} does not answer ({type(error).__name__})") from None


def print_answer(events: Iterator[tuple[str, Any]]) -> None:
    for event, data in events:
        if event == "token":
            print(data, end="", flush=True)
        elif event == "sources":
            print("\n")
            for source in data:
                mark = "*" if source["cited"] else " "
                print(
                    f"  {mark} [{source['number']}] {source['title']} ({source['document']}, score {source['score']:.2f})"
                )
        elif event == "error":
            raise UserError(str(data["message"]))


def send(endpoint: Endpoint, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
    try:
        response = endpoint.client.request(method, path, json=body, headers=headers)
    except httpx.TransportError as error:
        raise UserError(f"{endpoint.url} does not answer ({type(error).__name__})") from None
    if response.status_code >= 400:
        raise UserError(_problem(response))
    return response.json()


def _problem(response: httpx.Response) -> str:
    try:
        text = response.json()["detail"]
    except (ValueError, KeyError, TypeError):
        text = response.text[:200]
    return f"{response.request.method} {response.url.path}: {response.status_code}: {text}"
