"""The console in a browser and without one: who may look, every page, and that nothing it shows can act."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack.config import read_suite
from tests.conftest import ROOT
from tests.templates.browser import CHROMIUM, Page, browser
from tests.templates.conftest import Deployed

STACKS = ["rag", "chat"]
TEXT = "The insurance pays for a lost parcel, up to fifty euros."
HOSTILE = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
SERVICES = ["d1", "vectorize", "r2", "kv", "queues", "gateways", "workflows", "objects"]
PAGES = ["playground", "requests", *SERVICES, "secrets", "faults"]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
in_a_browser = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")


def link(deployed: Deployed) -> str:
    return str(deployed.control("POST", "console")["url"])


@pytest.fixture(scope="module")
def filled(deployed: Deployed) -> Deployed:
    """With documents, one of them hostile in every field, and a question that was answered."""
    for name, text in (("mine", TEXT), (HOSTILE, HOSTILE)):
        document = {"id": re.sub(r"\W", "-", name)[:40], "title": name, "topic": "parcels", "text": text}
        assert deployed.post("rag", "/documents", document).status_code < 300
    assert deployed.post("rag", "/ask", {"question": "Who pays for a lost parcel?"}).status_code == 200
    return deployed


@pytest.fixture
def console(filled: Deployed) -> Iterator[httpx.Client]:
    url = link(filled)
    with httpx.Client(base_url=url.partition("/console")[0], follow_redirects=True, timeout=30) as client:
        assert client.get(url).status_code == 200
        yield client


@pytest.fixture
def page(filled: Deployed, tmp_path: Path) -> Iterator[Page]:
    with browser(tmp_path / "profile") as page:
        page.open(link(filled))
        yield page


def opened(page: Page, path: str) -> None:
    page.open(page.run("location.origin") + f"/console/{path}")


def test_a_link_is_good_once(deployed: Deployed) -> None:
    url = link(deployed)
    assert httpx.get(url).status_code == 303
    assert httpx.get(url).status_code == 401
    assert httpx.get(url.partition("?")[0]).status_code == 401
    assert httpx.get(url.partition("?")[0], headers={"authorization": f"Bearer {deployed.token}"}).status_code == 401


@pytest.mark.parametrize("path", ["", "requests", "d1", "secrets", "faults", "playground/ask", "nothing"])
def test_nobody_else_sees_a_page(deployed: Deployed, path: str) -> None:
    base = link(deployed).partition("?")[0]
    assert httpx.get(base + path).status_code in (401, 405)
    forged = {"cookie": f"inferstack-console=10ca110ca110ca110ca110ca110ca110.{'0' * 64}"}
    assert httpx.get(base + path, headers=forged).status_code in (401, 405)


def test_other_pages_and_other_names_are_refused(console: httpx.Client) -> None:
    assert console.get("/console/", headers={"host": "rebound.example:8788"}).status_code == 403
    for origin in ("https://evil.example", "http://127.0.0.1:1", "null"):
        answer = console.post("/console/faults", data={"do": "clear"}, headers={"origin": origin})
        assert answer.status_code == 403
    own = str(console.base_url).rstrip("/")
    assert console.post("/console/faults", data={"do": "clear"}, headers={"origin": own}).status_code == 200


def test_a_cookie_is_no_key_of_the_api(console: httpx.Client) -> None:
    assert console.get("/client/v4/user").status_code == 401
    cookie = next(iter(console.cookies.jar))
    assert (cookie.path, cookie.has_nonstandard_attr("HttpOnly")) == ("/console", True)
    assert cookie.get_nonstandard_attr("SameSite") == "strict"


@pytest.mark.parametrize("path", ["", *PAGES])
def test_pages_run_nothing_but_their_own_files(console: httpx.Client, path: str) -> None:
    got = console.get(f"/console/{path}")
    assert got.status_code == 200
    policy = got.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert not re.search(r"\son\w+=|\sstyle=|<style|<script(?![^>]* src=)", re.sub(r"<pre>.*?</pre>", "", got.text))


def test_what_is_gone_is_said_to_be(console: httpx.Client) -> None:
    for path in ("d1/none", "kv/none", "r2/none", "vectorize/none", "queues/none", "gateways/none", "workflows/none"):
        got = console.get(f"/console/{path}")
        assert got.status_code == 404, path
        assert "There is no such thing here" in got.text
    assert console.get("/console/requests/0123").status_code == 404
    assert console.get("/console/playground?worker=none").status_code == 404
    assert console.get("/console/elsewhere").status_code == 404


def test_secrets_have_names_only(console: httpx.Client, filled: Deployed) -> None:
    assert "API_TOKEN" in console.get("/console/secrets").text
    for path in ("", *PAGES):
        assert filled.token not in console.get(f"/console/{path}").text


def events(console: httpx.Client, text: str) -> str:
    """The page of the newest request whose name holds `text`, once its trace is there."""
    for _ in range(50):
        listed = console.get("/console/requests").text
        found = re.search(rf'href="(/console/requests/[0-9a-f]+)">[^<]*{re.escape(text)}', listed)
        if found:
            return console.get(found[1]).text
        time.sleep(0.1)
    raise AssertionError(listed)


def test_a_request_is_a_waterfall_with_prompt_and_answer(console: httpx.Client) -> None:
    shown = events(console, "/ask")
    assert "chat @cf/meta/llama-3.3-70b-instruct-fp8-fast" in shown
    assert "embeddings @cf/baai/bge-base-en-v1.5" in shown
    assert "Vectorize query" in shown and "d1_all" in shown
    assert "fifty euros" in shown
    assert "gen_ai.usage.output_tokens" in shown and "inferstack.cost_usd" in shown


def test_the_picture_leads_to_what_it_shows(console: httpx.Client) -> None:
    shown = console.get("/console/").text
    picture = shown[shown.index('class="picture"') : shown.index("</svg>")]
    links = re.findall(r'<a href="([^"]+)"', picture)
    assert len(links) > 4
    for each in links:
        assert console.get(each).status_code == 200, each


def test_who_answers_stands_beside_the_figures(console: httpx.Client) -> None:
    shown = console.get("/console/").text
    assert "Who answers here" in shown and "extractive" in shown and "static-words" in shown


def test_sql_runs_and_its_errors_are_told(console: httpx.Client) -> None:
    path = re.search(r'href="(/console/d1/[^"]+)"', console.get("/console/d1").text)
    assert path is not None
    asked = console.post(path[1], data={"sql": "select 40 + 2 as answer, null as missing, x'00ff' as bytes"})
    assert "<td>42</td>" in asked.text and ">NULL</td>" in asked.text and "[2 bytes]" in asked.text
    wrong = console.post(path[1], data={"sql": "selec 1"})
    assert "syntax error" in wrong.text
    assert "selec 1" in wrong.text


def test_vectors_are_found_by_text_id_and_filter(console: httpx.Client) -> None:
    path = re.search(r'href="(/console/vectorize/[^"]+)"', console.get("/console/vectorize").text)
    assert path is not None
    shown = console.get(
        path[1], params={"text": "lost parcel", "filter": '{"topic": "parcels"}', "colour": "topic"}
    ).text
    identity = re.search(r'<th scope="row"><a href="\?id=([^"]+)"', shown)
    assert identity is not None
    assert "mine" in shown
    assert "1.0000" in console.get(f"{path[1]}?id={identity[1]}").text
    assert "no JSON" in console.get(path[1], params={"text": "parcel", "filter": "{"}).text
    assert console.get(path[1], params={"id": "none"}).status_code == 404


def test_files_are_stored_and_shown(console: httpx.Client) -> None:
    path = re.search(r'href="(/console/r2/[^"]+)"', console.get("/console/r2").text)
    assert path is not None
    for name, content, kind, seen in (
        ("a b.json", b'{"a":[1]}', "application/json", "&#34;a&#34;: ["),
        ("bytes.bin", bytes(range(256)), "application/octet-stream", "000010  10 11 12"),
        ("dot.png", b"\x89PNG\r\n\x1a\n", "image/png", "data:image/png;base64,"),
        ("page.html", HOSTILE.encode(), "text/html", "&lt;script&gt;"),
    ):
        shown = console.post(path[1], files={"file": (name, content, kind)})
        assert shown.status_code == 200
        assert seen in shown.text, name


def test_a_large_object_is_not_read(console: httpx.Client) -> None:
    path = re.search(r'href="(/console/r2/[^"]+)"', console.get("/console/r2").text)
    assert path is not None
    shown = console.post(path[1], files={"file": ("large.bin", b"x" * 21_000_000, "application/octet-stream")})
    assert "21 MB are more than a page holds" in shown.text


def test_faults_are_planned_met_and_cleared(console: httpx.Client, filled: Deployed) -> None:
    wanted = {"meets": "model", "target": "*", "answer": "planned words", "times": "1"}
    assert "answer: planned words" in console.post("/console/faults", data=wanted).text
    assert (
        filled.post("chat", "/chat", {"messages": [{"role": "user", "content": "hi"}]}).text.count("planned words") == 1
    )
    assert "None: everything works" in console.post("/console/faults", data={"do": "clear"}).text
    for wrong in (
        {"meets": "model"},
        {"meets": "path", "target": "("},
        {"meets": "model", "target": "*", "share": "x"},
    ):
        refused = console.post("/console/faults", data=wrong)
        assert refused.status_code == 400
        assert 'role="alert"' in refused.text


def test_the_playground_sends_a_secret_that_it_never_shows(console: httpx.Client, filled: Deployed) -> None:
    asked = {"worker": "chat-sample", "method": "POST", "path": "/chat", "secret": "API_TOKEN"}
    asked["body"] = json.dumps({"messages": [{"role": "user", "content": "hello there"}]})
    answer = console.post("/console/playground/ask", json=asked)
    assert answer.headers["x-status"] == "200"
    assert "hello there" in answer.text and filled.token not in answer.text
    without = console.post("/console/playground/ask", json=asked | {"secret": ""})
    assert without.headers["x-status"] == "401"
    for wrong in ([], {"method": "TRACE", "path": "/"}, {"method": "GET", "path": "http://elsewhere/"}):
        assert console.post("/console/playground/ask", json=wrong).status_code == 400


@in_a_browser
def test_an_answer_streams_with_its_citations_marked(page: Page, tmp_path: Path) -> None:
    opened(page, "playground?worker=rag-sample")
    question = json.dumps(json.dumps({"question": "Who pays for a lost parcel?", "stream": True}))
    page.run(
        "(() => { const form = document.querySelector('#ask');"
        "form.operation.selectedIndex = [...form.operation.options].findIndex((each) => each.dataset.path === '/ask');"
        "form.operation.dispatchEvent(new Event('change'));"
        f"form.body.value = {question}; form.requestSubmit(); }})()"
    )
    page.until("document.querySelector('#answers .head')?.textContent.includes('first byte')")
    assert page.run("document.querySelector('#answers mark').textContent") == "[1]"
    assert "cited" in page.run("document.querySelector('#answers .sources li').className")
    assert "/ask" in page.run("document.querySelector('#as-curl').textContent")
    page.until("document.querySelector('#as-case').textContent.includes('cites')")
    file = tmp_path / "case.yaml"
    file.write_text("cases:\n" + page.run("document.querySelector('#as-case').textContent") + "\n")
    [case] = read_suite(file, tmp_path).cases
    assert (case.request, case.body) == ("POST /ask", {"question": "Who pays for a lost parcel?", "stream": True})
    assert (case.name, case.cites) == ("Who pays for a lost parcel?", ["mine"])  # the document of `filled`
    assert page.complaints == []


@in_a_browser
def test_two_answers_stand_side_by_side(page: Page) -> None:
    opened(page, "playground?worker=chat-sample")
    page.run(
        "(() => { const form = document.querySelector('#ask');form.beside.value = 'again'; form.requestSubmit(); })()"
    )
    page.until(
        "[...document.querySelectorAll('#answers .head')].filter((e) => e.textContent.includes('all')).length === 2"
    )
    assert page.complaints == []


@in_a_browser
def test_the_list_of_requests_follows(page: Page, filled: Deployed) -> None:
    opened(page, "requests?worker=chat-sample")
    page.run("document.querySelector('#live').click()")
    filled.call("chat", "GET", "/followed-by-the-list")
    page.until("document.querySelector('#part').textContent.includes('/followed-by-the-list')")


@in_a_browser
@pytest.mark.parametrize("path", ["", *PAGES])
def test_every_page_fits_a_phone_the_dark_and_those_who_do_not_see(page: Page, path: str) -> None:
    opened(page, path)
    page.look(width=360)
    assert page.run("document.documentElement.scrollWidth") <= 360
    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.look(width=360, dark=True)
    assert page.run("getComputedStyle(document.body).backgroundColor") != light
    page.look(width=1280)
    assert serious(page) == []
    assert page.run("document.title") != "owned"
    assert page.complaints == []


@in_a_browser
def test_hostile_text_stays_text(page: Page) -> None:
    opened(page, "d1")
    page.run("document.querySelector('tbody a').click()")
    page.until("document.querySelector('#sql')")
    page.run(
        "document.querySelector('#sql').value = 'select * from documents'; document.querySelector('#sql').form.submit()"
    )
    page.until("document.body?.innerText.includes('onerror')")
    assert page.run("document.querySelectorAll('main img, main script').length") == 0
    assert page.run("document.title") != "owned"


def serious(page: Page) -> Any:
    """What axe-core finds; it is told to the page by the debugger, past the policy that lets no script in."""
    page.run(AXE.read_text())
    page.run(
        "globalThis.found = null; axe.run({ resultTypes: ['violations'] }).then((each) => (globalThis.found = each))"
    )
    page.until("globalThis.found")
    return page.run(
        "found.violations.filter((e) => ['serious', 'critical'].includes(e.impact))"
        ".map((e) => `${e.id}: ${e.nodes.map((n) => n.html).join(' ').slice(0, 300)}`)"
    )
