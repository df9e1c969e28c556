"""Small charts as SVG: attributes only, since the pages allow no inline styles."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

WIDTH, HEIGHT, FOOT = 320, 90, 16


def bars(title: str, values: Sequence[float], times: Sequence[str], shown: str) -> Markup:
    """Of a quantity in time: a bar for each value; `shown` is the newest or the sum, in words."""
    top = max([*values, 0]) or 1
    step = WIDTH / max(len(values), 1)
    parts = []
    for place, (value, at) in enumerate(zip(values, times, strict=True)):
        height = round(value / top * (HEIGHT - FOOT), 1)
        told = f"{at}: {value:g}"
        rect = (
            f'x="{place * step:.1f}" y="{HEIGHT - height:.1f}" width="{max(step - 1.5, 1):.1f}" height="{height:.1f}"'
        )
        parts.append(f'<rect class="bar" {rect}><title>{escape(told)}</title></rect>')
    base = f'<line class="axis" x1="0" y1="{HEIGHT}" x2="{WIDTH}" y2="{HEIGHT}"/>'
    label = f"{title}: {shown}"
    svg = f'<svg viewBox="0 0 {WIDTH} {HEIGHT + 1}" role="img" aria-label="{escape(label, quote=True)}">'
    return Markup(f"{svg}{''.join(parts)}{base}</svg>")  # noqa: S704 - numbers, and texts that were escaped


def scatter(points: Sequence[tuple[float, float, str, int]], colours: int) -> Markup:
    """Points `(x, y, title, colour)` with x and y from 0 to 1; `colours` is how many there are."""
    size = 460
    drawn = []
    for x, y, title, colour in points:
        place = f'cx="{12 + x * (size - 24):.1f}" cy="{12 + y * (size - 24):.1f}"'
        drawn.append(f'<circle class="dot c{colour % 8}" {place} r="4"><title>{escape(title)}</title></circle>')
    told = f"{len(points)} vectors in {colours} groups"
    head = f'<svg class="map" viewBox="0 0 {size} {size}" role="img" aria-label="{told}">'
    return Markup(f"{head}{''.join(drawn)}</svg>")  # noqa: S704 - numbers, and texts that were escaped
