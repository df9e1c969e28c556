"""A stack as a picture: what there is and who calls whom, as SVG, Mermaid or DOT. No layout program is asked.

Things stand in columns, each to the right of all that call it, in the order in which they are told.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

BOX, ROW, GAP, MARGIN = (190, 44), 62, 90, 16  # pixels: width and height, from row to row, between columns, around
LONGEST = 24  # characters that fit into a box
SHAPES = {"worker": ("[", "]"), "d1": ("[(", ")]"), "vectorize": ("[(", ")]"), "r2": ("[(", ")]"), "kv": ("[(", ")]")}
ROUND = ("([", "])")


@dataclass(frozen=True, slots=True)
class Node:
    """`kind` is worker, model, gateway, vectorize, d1, r2, kv, queue, cron, route, object, workflow, secrets or other."""

    id: str
    kind: str
    label: str
    link: str = ""


@dataclass(frozen=True, slots=True)
class Edge:
    """`source` uses or calls `target`."""

    source: str
    target: str
    label: str = ""


@dataclass(frozen=True, slots=True)
class Picture:
    """Edges lead between ids of its nodes; others are left out."""

    nodes: tuple[Node, ...]
    edges: tuple[Edge, ...]

    @classmethod
    def of(cls, nodes: Iterable[Node], edges: Iterable[Edge]) -> Picture:
        known = {node.id: node for node in nodes}
        kept = dict.fromkeys(e for e in edges if e.source in known and e.target in known and e.source != e.target)
        return cls(tuple(known.values()), tuple(kept))

    def columns(self) -> list[list[Node]]:
        """By the longest way that leads to each; a circle is open where it comes back to what it began with."""
        onward: dict[str, list[str]] = {node.id: [] for node in self.nodes}
        for edge in self.edges:
            onward[edge.source].append(edge.target)
        order: list[str] = []
        state = dict.fromkeys(onward, 0)  # 1: on the way from the first one, 2: done
        for node in self.nodes:
            _walk(node.id, onward, state, order)
        place = {identity: -position for position, identity in enumerate(order)}  # the last to be done comes first
        depth = dict.fromkeys(onward, 0)
        for identity in reversed(order):
            for target in onward[identity]:
                if place[target] > place[identity]:
                    depth[target] = max(depth[target], depth[identity] + 1)
        levels = sorted(set(depth.values()))
        return [[node for node in self.nodes if depth[node.id] == level] for level in levels]


def _walk(start: str, onward: dict[str, list[str]], state: dict[str, int], order: list[str]) -> None:
    """Depth first, with a stack of its own: a long chain is no reason to end."""
    waiting = [(start, False)]
    while waiting:
        identity, done = waiting.pop()
        if done:
            order.append(identity)
        elif state[identity] == 0:
            state[identity] = 1
            waiting.append((identity, True))
            waiting += [(target, False) for target in reversed(onward[identity]) if state[target] == 0]


def as_mermaid(picture: Picture) -> str:
    names = {node.id: f"n{place}" for place, node in enumerate(picture.nodes)}
    lines = ["flowchart LR"]
    for node in picture.nodes:
        left, right = SHAPES.get(node.kind, ROUND)
        text = f"{node.label}<br/><small>{node.kind}</small>".replace('"', "#quot;")
        lines.append(f'  {names[node.id]}{left}"{text}"{right}')
    for edge in picture.edges:
        label = f'|"{edge.label}"|'.replace('""', "") if edge.label else ""
        lines.append(f"  {names[edge.source]} -->{label} {names[edge.target]}")
    return "\n".join(lines) + "\n"


def as_dot(picture: Picture) -> str:
    lines = ["digraph stack {", "  rankdir=LR;", '  node [shape=box, style=rounded, fontname="sans-serif"];']
    labels = {node.id: json.dumps("\n".join((node.label, node.kind))) for node in picture.nodes}
    lines += [f"  {json.dumps(identity)} [label={label}];" for identity, label in labels.items()]
    for edge in picture.edges:
        label = f" [label={json.dumps(edge.label)}]" if edge.label else ""
        lines.append(f"  {json.dumps(edge.source)} -> {json.dumps(edge.target)}{label};")
    return "\n".join([*lines, "}"]) + "\n"


def as_svg(picture: Picture) -> str:
    """Colours by classes `node`, `edge` and the node's kind; without a style sheet it is black on white."""
    places: dict[str, tuple[int, int]] = {}
    columns = picture.columns()
    tallest = max((len(column) for column in columns), default=0)
    for x, column in enumerate(columns):
        top = MARGIN + (tallest - len(column)) * ROW // 2
        for y, node in enumerate(column):
            places[node.id] = (MARGIN + x * (BOX[0] + GAP), top + y * ROW)
    width = 2 * MARGIN + max(len(columns), 1) * (BOX[0] + GAP) - GAP
    height = 2 * MARGIN + max(tallest, 1) * ROW - (ROW - BOX[1])
    told = ", ".join(f"{node.kind} {node.label}" for node in picture.nodes)
    size = f'viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
    head = f'<svg xmlns="http://www.w3.org/2000/svg" class="picture" {size} role="group">'
    parts = [head, f"<title>{escape(told)}</title>"]
    parts += [_line(edge, places) for edge in picture.edges]
    parts += [_box(node, *places[node.id]) for node in picture.nodes]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _line(edge: Edge, places: dict[str, tuple[int, int]]) -> str:
    (x1, y1), (x2, y2) = places[edge.source], places[edge.target]
    half = BOX[1] // 2
    if x2 > x1:
        x1, y1, y2 = x1 + BOX[0], y1 + half, y2 + half
        bend = (x2 - x1) // 2
        path = f"M{x1},{y1} C{x1 + bend},{y1} {x2 - bend},{y2} {x2},{y2}"
    else:  # back to one that stands further left: from below to below
        x1, y1, x2, y2 = x1 + BOX[0] // 2, y1 + BOX[1], x2 + BOX[0] // 2, y2 + BOX[1]
        path = f"M{x1},{y1} C{x1},{y1 + half} {x2},{y2 + half} {x2},{y2}"
    title = f"<title>{escape(edge.label)}</title>" if edge.label else ""
    return f'<path class="edge" d="{path}" fill="none" stroke="#8a8f98" stroke-width="1.4">{title}</path>'


def _box(node: Node, x: int, y: int) -> str:
    label = node.label if len(node.label) <= LONGEST else f"{node.label[: LONGEST - 1]}…"
    rect = f'<rect x="{x}" y="{y}" width="{BOX[0]}" height="{BOX[1]}" rx="7" fill="#fff" stroke="#8a8f98"/>'
    name = f'<text x="{x + 12}" y="{y + 19}" font-family="sans-serif" font-size="13">{escape(label)}</text>'
    kind = f'<text class="kind" x="{x + 12}" y="{y + 35}" font-family="sans-serif" font-size="11">{escape(node.kind)}</text>'
    drawn = f'<g class="node {escape(node.kind, quote=True)}"><title>{escape(node.label)}</title>{rect}{name}{kind}</g>'
    return f'<a href="{escape(node.link, quote=True)}">{drawn}</a>' if node.link else drawn
