"""Another model in one role: both totals and the difference; and the estimate as a page."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import pytest

from tests.cost.test_external_prices import HEAD, run

LLAMA, SMALL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/meta/llama-3.2-3b-instruct"
STACK = (
    HEAD + f"models: {{ talk: {{ model: '{LLAMA}' }} }}\n"
    "workers: { w: { template: chat, compatibility_date: '2026-06-01', models: { chat: talk },\n"
    "  bindings: { AI: { ai: true } }, secrets: { API_TOKEN: 'env:PATH' } } }\n"
    "expect: { models: { talk: { requests: 10000, input_tokens: 1000, output_tokens: 100 } } }\n"
)
TEMPLATES = Path(__file__).parents[2] / "templates"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "templates").symlink_to(TEMPLATES)
    return tmp_path


# 300 M in and 30 M out a month; 5 for the plan, 3.30 of neurons free
BEFORE = 300 * 0.293 + 30 * 2.253 - 3.30 + 5


@pytest.mark.parametrize(
    ("change", "usd"),
    [
        (f"talk={SMALL}", 300 * 0.0509 + 30 * 0.335 - 3.30 + 5),
        (f"chat={SMALL}", 300 * 0.0509 + 30 * 0.335 - 3.30 + 5),  # by the Worker's role
        ("chat=openai/gpt-4o-mini", 300 * 0.15 + 30 * 0.6 + 5),  # none of it is Workers AI's
    ],
)
def test_both_totals_and_the_difference(change: str, usd: float, root: Path) -> None:
    done = run(root, STACK, "cost", "s", "--what-if", change, "--format", "csv")
    rows = list(csv.reader(io.StringIO(done.stdout)))
    assert rows[0] == ["USD a month", "s", f"s with {change}", "difference"]
    totals = [float(cell.replace(",", "")) for cell in rows[-1][1:]]
    assert totals == pytest.approx([BEFORE, usd, usd - BEFORE], abs=0.011)


def test_a_program_reads_both(root: Path) -> None:
    done = run(root, STACK, "cost", "s", "--what-if", f"chat={SMALL}", "--format", "json")
    before, after = json.loads(done.stdout)
    assert (before["usd"], before["stack"]) == (pytest.approx(BEFORE), "s")
    assert after["usd"] < before["usd"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("chat", "`chat` names no model for a role"),
        ("caht=@cf/x/y", "no model has the name or the role `caht`; did you mean `chat`?"),
        ("chat=@cf/meta/llama-3.2-3b-instrukt", f"did you mean `{SMALL}`?"),
        ("chat=opnai/gpt-4o-mini", "there is no model `opnai/gpt-4o-mini`"),
        ("chat=@cf/baai/bge-m3", "does Text Embeddings, and `chat` is for Text Generation"),
        ("chat=openai/text-embedding-3-small", "does Text Embeddings, and `chat` is for Text Generation"),
    ],
)
def test_what_is_not_there_is_refused(change: str, said: str, root: Path) -> None:
    done = run(root, STACK, "cost", "s", "--what-if", change)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_model_without_a_price_breaks_the_budget_here_too(root: Path) -> None:
    done = run(root, STACK + "budget: { monthly_usd: 500 }\n", "cost", "s", "--what-if", "chat=openai/gpt-unheard-of")
    assert done.returncode == 2
    assert "error: s with chat=openai/gpt-unheard-of: nobody knows whether 500.00 USD" in done.stderr


class Seen(HTMLParser):
    """What a browser would fetch or run, and the plots."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("src", "href", "action", "data")]
        assert not [name for name, _ in attrs if name.startswith("on")]


def test_the_page_stands_alone_and_escapes_what_it_shows(root: Path) -> None:
    text = STACK.replace(LLAMA, "@me/<script>alert(1)</script>").replace("talk", "a")
    text += "catalog: { '@me/m': { task: Text Generation, prices: { per M input tokens: 1 } } }\n"
    text = text.replace("@me/<script>alert(1)</script>", "@me/m") + "prices: { '@me/<b>m</b>': { input: 1 } }\n"
    done = run(root, text, "cost", "s", "--what-if", "a=openai/<img src=x onerror=y>", "--format", "html")
    seen = Seen(done.stdout)
    assert not {"script", "img", "link", "iframe", "b"} & set(seen.tags)
    assert seen.links == []
    assert "&lt;img src=x onerror=y&gt;" in done.stdout
    assert "@import" not in done.stdout
    assert "url(" not in done.stdout


def test_the_plot_has_a_bar_for_each_resource_in_proportion(root: Path) -> None:
    done = run(root, STACK, "cost", "s", "--format", "html")
    start, end = done.stdout.index("<svg"), done.stdout.index("</svg>") + len("</svg>")
    svg = ET.fromstring(done.stdout[start:end])
    bars = {(rect[0].text or ""): float(rect.attrib["width"]) for rect in svg.iter("rect")}
    assert set(bars) == {"models.talk, s: 155.49 USD", "plan and allowances, s: 1.70 USD"}
    # 300 × 0.293 + 30 × 2.253 = 155.49 and 5 - 3.30 = 1.70
    assert bars["plan and allowances, s: 1.70 USD"] / bars["models.talk, s: 155.49 USD"] == pytest.approx(
        1.7 / 155.49, abs=1e-3
    )
    assert f"<strong>{BEFORE:,.2f} USD</strong>" in done.stdout
