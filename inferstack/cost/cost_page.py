"""An estimate as a page that stands alone: tables and plots as SVG, no script and nothing from elsewhere."""

from __future__ import annotations

from html import escape

from inferstack import catalog
from inferstack.cost.cost_formats import HEAD, compared, noted, row_of, usd_text
from inferstack.cost.estimate import Estimate

COLOURS = ("#2f6fb0", "#c7792b", "#4d8f5b", "#8a5fa8", "#b0473f", "#5f7f8a")
WIDTH, BAR, HEAD_LINE, AMOUNT = 720, 22, 20, 90  # of a plot, in SVG's units; AMOUNT is the room right of a bar
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #1c2024 }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin-top: 2rem }
table { border-collapse: collapse; width: 100% }
td, th { padding: .25rem .6rem; text-align: left; border-bottom: 1px solid #d8dce0 }
td:last-child, th:last-child { text-align: right; font-variant-numeric: tabular-nums }
.lacking { border-left: 4px solid #b0473f; padding-left: .8rem } svg text { font: 12px system-ui, sans-serif; fill: currentColor }
@media (prefers-color-scheme: dark) { body { background: #15181b; color: #e4e7ea } td, th { border-color: #33383d } }
"""


def page(estimates: list[Estimate], breaches: list[str]) -> str:
    """`breaches` are budgets that are not kept, in a sentence each."""
    names = ", ".join(found.stack for found in estimates)
    parts = [f'<p class="lacking">{escape(text)}</p>' for text in breaches]
    for found in estimates:
        lacking = ", without what has no price" if found.unpriced else ""
        total = f"<strong>{usd_text(found.usd)} USD</strong>{lacking}"
        parts.append(f"<p>{escape(found.stack)}: {total} (plan: {escape(found.plan)})</p>")
    if len(estimates) > 1:
        head, rows = compared(estimates)
        parts += ["<h2>By resource</h2>", _resources(estimates), html_table(head, rows)]
    for found in estimates:
        name = f" of {escape(found.stack)}" if len(estimates) > 1 else ""
        if len(estimates) == 1:
            parts += ["<h2>By resource</h2>", _resources(estimates)]
        parts += [f"<h2>Line by line{name}</h2>", html_table(HEAD, [row_of(line) for line in found.lines])]
    parts += [html_list(noted(estimates))] if noted(estimates) else []
    parts.append(f"<p>A month is 30 days; prices as read on {catalog.sources()['retrieved']}, without tax.</p>")
    return standing_alone(f"What {names} costs a month", parts)


def standing_alone(title: str, parts: list[str]) -> str:
    about = '<meta charset="utf-8"><meta name="viewport" content="width=device-width">'
    head = f"{about}<title>{escape(title)}</title><style>{STYLE}</style>"
    body = "\n".join([f"<h1>{escape(title)}</h1>", *parts])
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>'


def _resources(estimates: list[Estimate]) -> str:
    names = list(dict.fromkeys(name for found in estimates for name in found.resources()))
    shown = ["plan and allowances" if name == "account" else name for name in names]
    return bars(shown, {found.stack: [found.resources().get(name, 0.0) for name in names] for found in estimates})


def bars(names: list[str], values: dict[str, list[float]]) -> str:
    """US dollars: for each name one bar of each series; what is negative goes to the left of the line."""
    flat = [value for series in values.values() for value in series]
    most, least = max([*flat, 0.0]) or 1.0, min([*flat, 0.0])
    scale = (WIDTH - 2 * AMOUNT * (least < 0) - AMOUNT) / (most - least)
    zero = AMOUNT * (least < 0) - least * scale
    parts, top = [], 0
    for row, name in enumerate(names):
        parts.append(
            f'<text x="0" y="{top + HEAD_LINE * 0.7:g}">{escape(name)}</text>'
        )  # above: names of models are long
        top += HEAD_LINE
        for place, (whose, series) in enumerate(values.items()):
            value = series[row]
            left, wide = min(zero, zero + value * scale), abs(value) * scale
            colour = COLOURS[place % len(COLOURS)]
            said = f"<title>{escape(name)}, {escape(whose)}: {usd_text(value)} USD</title>"
            bar = f'<rect x="{left:.1f}" y="{top}" width="{wide:.1f}" height="{BAR - 5}" fill="{colour}">{said}</rect>'
            label = f'<text x="{max(zero, left + wide) + 6:.1f}" y="{top + BAR * 0.65:g}">{usd_text(value)}</text>'
            parts += [bar, label]
            top += BAR
        top += 6
    line = f'<line x1="{zero:.1f}" x2="{zero:.1f}" y1="0" y2="{top}" stroke="currentColor" stroke-opacity=".4"/>'
    size = f'viewBox="0 0 {WIDTH} {max(top, 1)}" width="100%"'
    legend = _legend(list(values)) if len(values) > 1 else ""
    return f'{legend}<svg role="img" aria-label="US dollars a month" {size}>{"".join(parts)}{line}</svg>'


def _legend(names: list[str]) -> str:
    keys = [
        f'<span style="color:{COLOURS[place % len(COLOURS)]}">■</span> {escape(name)}'
        for place, name in enumerate(names)
    ]
    return f"<p>{' &nbsp; '.join(keys)}</p>"


def html_table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    def line(cells: tuple[str, ...], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"

    return f"<table><thead>{line(head, 'th')}</thead><tbody>{''.join(line(row, 'td') for row in rows)}</tbody></table>"


def html_list(texts: list[str]) -> str:
    return "<h2>Notes</h2><ul>" + "".join(f"<li>{escape(text)}</li>" for text in texts) + "</ul>"
