"""A layered drawing of a graph as SVG, with no library: arrows go down, long ones around what stands between."""

from __future__ import annotations

import itertools
from html import escape

Graph = dict[str, set[str]]
WIDE, HIGH, GAP, STEP, BEND = (
    150,
    50,
    36,
    104,
    24,
)  # a box, the room between boxes and rows, the place of a passing arrow
STYLE = """
rect.page { fill: #fff } rect.box { fill: #eef2fb; stroke: #4051b5; stroke-width: 1.5 }
path.line { fill: none; stroke: #5b6475; stroke-width: 1.5 }
text { font-family: system-ui, sans-serif; text-anchor: middle; fill: #1b2233 }
text.name { font-size: 16px; font-weight: 600 } text.small { font-size: 12px; fill: #5b6475 }
"""


def draw(graph: Graph, files: dict[str, int]) -> tuple[str, list[str]]:
    """The SVG, and the rooms from the top down. Rooms that import each other share a box."""
    boxes, lines = _condensed(graph)
    reduced = _reduced(lines)
    rows = _ordered(_rows(reduced), reduced)
    places = _places(rows)
    width = max(x + _wide(name) / 2 for name, (x, _) in places.items()) + GAP
    height = len(rows) * STEP - (STEP - HIGH) + 2 * GAP
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" role="img">']
    parts += ["<title>Rooms and their imports</title>", f"<style>{STYLE}</style>"]
    parts.append(
        '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    )
    parts.append('<path d="M0 0 L10 5 L0 10 z" fill="#5b6475"/></marker></defs>')
    parts.append(f'<rect class="page" width="{width:.0f}" height="{height:.0f}" rx="8"/>')
    parts += [_line(source, target, places) for source in sorted(reduced) for target in sorted(reduced[source])]
    for row in rows:
        parts += [_box(name, boxes[name], files, places[name]) for name in row if name in boxes]
    order = [room for row in rows for name in row for room in boxes.get(name, [])]
    return "\n".join([*parts, "</svg>", ""]), order


def _reach(graph: Graph, start: str) -> set[str]:
    seen: set[str] = set()
    waiting = [start]
    while waiting:
        for other in graph[waiting.pop()] - seen:
            seen.add(other)
            waiting.append(other)
    return seen


def _condensed(graph: Graph) -> tuple[dict[str, list[str]], Graph]:
    """Boxes by name with their rooms, and the arrows between boxes, of which no circle is left."""
    reach = {room: _reach(graph, room) for room in graph}
    circle = {room: sorted({room} | {o for o in reach[room] if room in reach[o]}) for room in graph}
    box = {room: ", ".join(circle[room]) for room in graph}
    lines: Graph = {name: set() for name in sorted(box.values())}
    for room, others in graph.items():
        lines[box[room]] |= {box[other] for other in others} - {box[room]}
    return {box[room]: circle[room] for room in graph}, lines


def _reduced(lines: Graph) -> Graph:
    """Without the arrows that follow from others."""
    reach = {name: _reach(lines, name) for name in lines}
    return {name: others - {far for o in others for far in reach[o]} for name, others in lines.items()}


def _rows(lines: Graph) -> dict[str, int]:
    """Each box right below the lowest box that imports it."""
    row: dict[str, int] = {}

    def place(name: str) -> int:
        if name not in row:
            row[name] = max((place(other) + 1 for other, its in lines.items() if name in its), default=0)
        return row[name]

    for name in lines:
        place(name)
    # What imports nothing of a row further down than the next may sink towards what it imports.
    for name in sorted(row, key=lambda n: -row[n]):
        if lines[name] and not any(name in its for its in lines.values()):
            row[name] = min(row[other] for other in lines[name]) - 1
    return row


def _bends(source: str, target: str, row: dict[str, int]) -> list[str]:
    return [f"{source}>{target}@{level}" for level in range(row[source] + 1, row[target])]


def _ordered(row: dict[str, int], lines: Graph) -> list[list[str]]:
    """Names by row; a long arrow has a place in each row that it passes. Each sits near those above it."""
    rows: list[list[str]] = [sorted(n for n in row if row[n] == level) for level in range(max(row.values()) + 1)]
    above: dict[str, list[str]] = {}
    for source, targets in lines.items():
        for target in targets:
            chain = [source, *_bends(source, target, row), target]
            for upper, lower in itertools.pairwise(chain):
                above.setdefault(lower, []).append(upper)
            for level, bend in enumerate(chain[1:-1], row[source] + 1):
                rows[level].append(bend)
    for level in range(1, len(rows)):
        spot = {name: (at + 0.5) / len(rows[level - 1]) for at, name in enumerate(rows[level - 1])}
        near = {n: [spot[a] for a in above.get(n, []) if a in spot] or [1.0] for n in rows[level]}
        rows[level].sort(key=lambda n: (sum(near[n]) / len(near[n]), n))
    return rows


def _wide(name: str) -> float:
    return BEND if "@" in name else max(WIDE, 10 * len(name) + 24)


def _places(rows: list[list[str]]) -> dict[str, tuple[float, float]]:
    """The middle of each box."""
    widths = [sum(_wide(name) + GAP for name in row) - GAP for row in rows]
    places: dict[str, tuple[float, float]] = {}
    for level, row in enumerate(rows):
        x = GAP + (max(widths) - widths[level]) / 2
        for name in row:
            places[name] = (x + _wide(name) / 2, GAP + level * STEP + HIGH / 2)
            x += _wide(name) + GAP
    return places


def _line(source: str, target: str, places: dict[str, tuple[float, float]]) -> str:
    passes = sorted((n for n in places if n.startswith(f"{source}>{target}@")), key=lambda n: places[n][1])
    x, y = places[source][0], places[source][1] + HIGH / 2
    path = f"M{x:.0f} {y:.0f}"
    for name in [*passes, target]:
        to_x, to_y = places[name][0], places[name][1] - HIGH / 2
        half = (to_y - y) / 2
        path += f" C{x:.0f} {y + half:.0f} {to_x:.0f} {to_y - half:.0f} {to_x:.0f} {to_y:.0f}"
        if name != target:
            path += f" L{to_x:.0f} {to_y + HIGH:.0f}"
        x, y = to_x, to_y + HIGH
    return (
        f'<path class="line" marker-end="url(#tip)" d="{path}"><title>{escape(f"{source} → {target}")}</title></path>'
    )


def _box(name: str, rooms: list[str], files: dict[str, int], place: tuple[float, float]) -> str:
    (x, y), wide = place, _wide(name)
    count = sum(files[room] for room in rooms)
    frame = (
        f'<rect class="box" x="{x - wide / 2:.0f}" y="{y - HIGH / 2:.0f}" width="{wide:.0f}" height="{HIGH}" rx="6"/>'
    )
    label = f'<text class="name" x="{x:.0f}" y="{y:.0f}">{escape(name)}</text>'
    small = f'<text class="small" x="{x:.0f}" y="{y + 17:.0f}">{count} file{"s" if count != 1 else ""}</text>'
    return frame + label + small
