"""The page of `chat` and `rag` in a browser: streams, citations, keys, hostile text; and that it hides no route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.templates.browser import CHROMIUM, Page, browser
from tests.templates.conftest import Deployed

STACKS = ["chat", "rag"]
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        yield page


def read(deployed: Deployed, worker: str, path: str, accept: str = "text/html") -> httpx.Response:
    return deployed.call(worker, "GET", path, headers={"accept": accept, "authorization": ""})


@pytest.mark.parametrize("worker", STACKS)
def test_browsers_get_the_page_and_programs_the_list_of_endpoints(deployed: Deployed, worker: str) -> None:
    for path in ("/", "/page/"):
        got = read(deployed, worker, path)
        assert got.headers["content-type"] == "text/html; charset=utf-8"
        assert "<!doctype html>" in got.text
    for accept in ("*/*", "application/json"):
        listed = read(deployed, worker, "/", accept)
        assert listed.json()["service"] == worker
        assert "accept" in listed.headers["vary"]
    assert read(deployed, worker, "/healthz").json()["ok"] is True
    assert not [path for path in read(deployed, worker, "/openapi.json").json()["paths"] if path.startswith("/page")]
    assert read(deployed, worker, "/page/nothing.js").status_code == 404


@pytest.mark.parametrize("worker", STACKS)
def test_its_files_ask_nobody_else_and_run_nothing_inline(deployed: Deployed, worker: str) -> None:
    html = read(deployed, worker, "/page/").text
    for path in ("/page/", *re.findall(r'(?:src|href)="(/page/[^"]+)"', html)):
        got = read(deployed, worker, path, "*/*")
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert not re.search(r"https?://(?!www\.w3\.org/2000/svg)|innerHTML|insertAdjacentHTML|eval\(", got.text)
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]* src=)", html)


@in_a_browser
def test_a_talk_is_streamed_and_hostile_text_stays_text(deployed: Deployed, page: Page) -> None:
    page.open(deployed.url("chat"))
    page.until("document.title === 'chat'")
    page.write("#key", deployed.token)
    page.press("Enter")
    page.until("!document.querySelector('#forget').hidden")
    for number, question in enumerate(("Good morning", HOSTILE), 1):
        page.write("#text", question)
        page.press("Enter")
        page.until(f"document.querySelectorAll('.turn:not([aria-busy]) .answer').length === {number}")
    answers = page.run("[...document.querySelectorAll('.answer')].map((each) => each.textContent)")
    assert answers[0] == "You said: Good morning"
    assert "<script>" in answers[1]
    assert page.run("document.title") == "chat"
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    assert deployed.token not in page.run("document.documentElement.outerHTML")
    assert page.complaints == []


@in_a_browser
def test_a_wrong_key_is_told(deployed: Deployed, page: Page) -> None:
    page.open(deployed.url("chat"))
    page.write("#key", "wrong")
    page.press("Enter")
    page.write("#text", "Good morning")
    page.press("Enter")
    page.until("document.querySelector('.turn.failed .note')?.textContent.includes('Key')")
    page.until("document.querySelector('#text').value === 'Good morning'")  # to be sent again


@in_a_browser
def test_an_answer_has_its_citations_marked(deployed: Deployed, page: Page) -> None:
    text = "The insurance pays for a lost parcel, up to fifty euros."
    stored = deployed.post("rag", "/documents", {"id": "mine", "title": "Insurance", "topic": "parcels", "text": text})
    assert stored.status_code < 300
    page.open(deployed.url("rag"))
    page.until("document.title === 'rag'")
    page.write("#text", "Who pays for a lost parcel?")
    page.press("Enter")
    page.until("document.querySelector('.turn:not([aria-busy]) a.cite')")
    assert page.run("document.querySelector('a.cite').textContent") == "[1]"
    page.run("document.querySelector('a.cite').click()")
    source = page.run("document.querySelector(location.hash).innerText")
    assert "Insurance" in source and "score 0." in source and text in source
    assert page.complaints == []


@in_a_browser
@pytest.mark.parametrize("worker", STACKS)
def test_it_fits_a_phone_and_the_dark(deployed: Deployed, page: Page, tmp_path: Path, worker: str) -> None:
    page.open(deployed.url(worker))
    page.look(width=360, to=tmp_path / "light.png")
    assert page.run("document.documentElement.scrollWidth") <= 360
    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.look(width=360, dark=True)
    assert page.run("getComputedStyle(document.body).backgroundColor") != light
    named = "[...document.querySelectorAll('input, textarea, button')].every((e) => e.labels?.length || e.textContent)"
    assert page.run(named)
