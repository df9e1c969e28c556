"""HTML to Markdown: what a reader sees, and in a time that grows no faster than the page."""

from __future__ import annotations

import base64
import time

import pytest

from inferstack.local.ai.markdown import to_markdown


def converted(html: str) -> str:
    data = base64.b64encode(html.encode()).decode()
    [result] = to_markdown([{"name": "page.html", "mimeType": "text/html", "data": data}])
    return str(result.get("data", result.get("error")))


@pytest.mark.parametrize("tag", ["script", "style", "noscript", "template"])
def test_what_no_reader_sees_is_no_text(tag: str) -> None:
    page = f"<head><title>T</title></head><p>Refunds.<{tag}>secretjunk</{tag}></p><p>Take 17 days.</p>"
    assert converted(page).split() == ["Refunds.", "Take", "17", "days."]


def test_lists_are_numbered() -> None:
    page = "<ol><li>a</li><li>b<ol><li>c</li><li>d</li></ol></li></ol><ol start='7'><li>e</li><li>f</li></ol><ul><li>g</li></ul>"
    words = converted(page).split()
    assert words == ["1.", "a", "2.", "b", "1.", "c", "2.", "d", "7.", "e", "8.", "f", "*", "g"]


SHAPES = {
    "ordered list": ("<ol>", "<li>item</li>", "</ol>"),
    "list": ("<ul>", "<li>item</li>", "</ul>"),
    "paragraphs": ("<div>", "<p>item</p>", "</div>"),
    "table": ("<table>", "<tr><td>a</td><td>b</td></tr>", "</table>"),
}


@pytest.mark.parametrize(("head", "item", "tail"), SHAPES.values(), ids=SHAPES)
def test_four_times_the_page_takes_no_more_than_eight_times_the_time(head: str, item: str, tail: str) -> None:
    def seconds(count: int) -> float:
        """The best of three: what else the machine does only adds to it."""
        taken = []
        for _ in range(3):
            started = time.process_time()
            converted(head + item * count + tail)
            taken.append(time.process_time() - started)
        return min(taken)

    seconds(100)
    assert seconds(4000) < 8 * max(seconds(1000), 0.05)


def test_a_page_nested_too_deeply_is_told() -> None:
    assert converted("<b>" * 5000).endswith("it is nested too deeply")
