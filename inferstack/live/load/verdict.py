"""What a load test says: figures, thresholds that it keeps or not, a table, and a page with plots."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import yaml

from inferstack.config import bounded, parse_seconds, text_given
from inferstack.cost.cost_page import html_table, standing_alone
from inferstack.errors import ConfigError
from inferstack.live.load.measured import Run

TIMES = ("p50", "p95", "p99", "first_p50", "first_p95", "first_p99")
LEAST = ("tokens_per_second", "requests_per_second")  # thresholds that say at least; all others say at most
WIDTH, HEIGHT = 720, 220


@dataclass(frozen=True, slots=True)
class Figures:
    """Times in seconds; `tokens_per_second` is of one answer, in the middle; `usd` where it is known what was spent."""

    requests: int
    seconds: float
    failed: int
    times: dict[str, float]
    tokens_per_second: float | None
    usd: float | None
    problems: dict[str, int]

    @property
    def all_failed(self) -> bool:
        """Then no time was measured, and the test says nothing about the Worker."""
        return self.failed == self.requests

    def values(self) -> dict[str, float | None]:
        """All that a threshold can be set on."""
        rate = self.failed / self.requests if self.requests else 0.0
        usd = self.usd / self.requests * 1000 if self.usd is not None and self.requests else None
        figures = {"error_rate": rate, "requests_per_second": self.requests / self.seconds if self.seconds else 0.0}
        times = dict.fromkeys(self.times) if self.all_failed else self.times
        return {**times, **figures, "tokens_per_second": self.tokens_per_second, "usd_per_1000": usd}


def figures(run: Run, usd: float | None) -> Figures:
    good = [sample for sample in run.samples if not sample.failed]
    whole, first = sorted(s.whole for s in good), sorted(s.first for s in good)
    times = {f"p{share}": _at(whole, share) for share in (50, 95, 99)}
    times |= {f"first_p{share}": _at(first, share) for share in (50, 95, 99)}
    speeds = sorted(s.tokens / max(s.whole - s.first, 1e-6) for s in good if s.tokens > 1 and s.whole > s.first)
    problems = Counter(sample.error or f"status {sample.status}" for sample in run.samples if sample.failed)
    failed = len(run.samples) - len(good)
    speed = _at(speeds, 50) if speeds else None
    return Figures(len(run.samples), run.seconds, failed, times, speed, usd, dict(problems.most_common()))


def _at(values: Sequence[float], share: int) -> float:
    """The smallest value that so many of a hundred do not pass; 0 of none."""
    return values[min(-(-len(values) * share // 100), len(values)) - 1] if values else 0.0


def thresholds(file: Path) -> dict[str, float]:
    """Figure and bound, from YAML; times as `250ms` or in seconds. Raises `ConfigError` with where it is wrong."""
    fix = "write keys and values in YAML, such as p95: 800ms"
    text = text_given(file, fix)
    try:
        node = yaml.compose(bounded(text), Loader=yaml.CSafeLoader)
    except ValueError as error:
        raise ConfigError(f"{file}: {error}\n  fix: {fix}") from None
    except yaml.YAMLError as error:
        raise ConfigError(f"{file} is no YAML: {str(error).splitlines()[0]}\n  fix: {fix}") from None
    if not isinstance(node, yaml.MappingNode):
        raise ConfigError(f"{file}:1:1: thresholds are keys and values\n  fix: {fix}")
    found = {}
    known = [*TIMES, "error_rate", "usd_per_1000", *LEAST]
    for key, value in node.value:
        where = f"{file}:{key.start_mark.line + 1}:{key.start_mark.column + 1}"
        if key.value not in known:
            raise ConfigError(f"{where}: unknown threshold `{key.value}`\n  fix: one of: {', '.join(known)}")
        found[str(key.value)] = _bound(key.value, value, where)
    return found


def _bound(name: str, node: yaml.Node, where: str) -> float:
    text = str(node.value)
    try:
        number = parse_seconds(text) if name in TIMES and text[-1:].isalpha() else float(text)
    except (ValueError, ConfigError):
        number = -1.0
    if not isinstance(node, yaml.ScalarNode) or not 0 <= number < 1e12:
        example = "800ms" if name in TIMES else "0.01"
        raise ConfigError(f"{where}: `{name}` must be a number from 0, or a time\n  fix: such as {name}: {example}")
    return number


def passed_over(found: Figures, bounds: dict[str, float]) -> list[str]:
    """A sentence for each threshold that is not kept; what was not measured keeps none."""
    values, said = found.values(), list[str]()
    if found.all_failed and "error_rate" not in bounds:
        said.append(f"none of {found.requests} requests was answered well")
    for name, bound in bounds.items():
        value = values[name]
        if value is None:
            said.append(f"{name} is not known, and should be {'at least' if name in LEAST else 'at most'} {bound:g}")
        elif name in LEAST and value < bound:
            said.append(f"{name} is {value:.4g}, and should be at least {bound:g}")
        elif name not in LEAST and value > bound:
            said.append(f"{name} is {value:.4g}, and should be at most {bound:g}")
    return said


def rows(found: Figures) -> list[tuple[str, ...]]:
    """For people, in the order in which they ask."""
    t = found.times
    listed: list[tuple[str, ...]] = [
        ("requests", f"{found.requests} in {found.seconds:.1f} s, {found.requests / max(found.seconds, 1e-9):.1f}/s"),
        ("failed", f"{found.failed}" + "".join(f", {count} × {what}" for what, count in found.problems.items())),
    ]
    if not found.all_failed:
        listed.append(("time to first token", _three(t["first_p50"], t["first_p95"], t["first_p99"])))
        listed.append(("time to the end", _three(t["p50"], t["p95"], t["p99"])))
    if found.tokens_per_second is not None:
        listed.append(("tokens a second", f"{found.tokens_per_second:.1f} of one answer"))
    listed.append(("cost", "not known" if found.usd is None else f"{found.usd:.6f} USD"))
    return listed


def _three(*values: float) -> str:
    return "p50 {:.0f} ms, p95 {:.0f} ms, p99 {:.0f} ms".format(*(value * 1000 for value in values))


def document(stack: str, worker: str, request: str, found: Figures, broken: list[str]) -> dict[str, Any]:
    head = {"version": 1, "stack": stack, "worker": worker, "request": request}
    counts = {"requests": found.requests, "seconds": round(found.seconds, 3), "failed": found.failed}
    rest = {"problems": found.problems, "usd": found.usd, "broken_thresholds": broken}
    return head | counts | found.values() | rest


def page(title: str, run: Run, found: Figures, broken: list[str]) -> str:
    """Stands alone: figures, each answer as a point over time, and how many took how long."""
    parts = [f'<p class="lacking">{escape(text)}</p>' for text in broken]
    parts.append(html_table(("Figure", "Value"), rows(found)))
    parts += ["<h2>Answers over time</h2>", _points(run), "<h2>How many took how long</h2>", _histogram(run)]
    return standing_alone(title, parts)


def _points(run: Run) -> str:
    most, end = max((s.whole for s in run.samples), default=1) or 1, max(run.seconds, 1e-9)
    drawn = []
    for sample in run.samples[:5000]:
        place = f'cx="{sample.at / end * WIDTH:.1f}" cy="{HEIGHT - sample.whole / most * (HEIGHT - 10):.1f}"'
        colour = "#b0473f" if sample.failed else "#2f6fb0"
        drawn.append(f'<circle {place} r="2.2" fill="{colour}"/>')
    label = f"Up to {most * 1000:.0f} ms, over {end:.1f} s; red ones failed."
    return _plot(label, drawn)


def _histogram(run: Run) -> str:
    good = [sample.whole for sample in run.samples if not sample.failed]
    if not good:
        return "<p>No answer was good.</p>"
    most, bins = max(good) or 1, 40
    counts = Counter(min(int(value / most * bins), bins - 1) for value in good)
    high, wide = max(counts.values()), WIDTH / bins
    drawn = []
    for place in range(bins):
        tall = counts.get(place, 0) / high * (HEIGHT - 10)
        said = f"{place * most / bins * 1000:.0f} to {(place + 1) * most / bins * 1000:.0f} ms: {counts.get(place, 0)}"
        box = f'x="{place * wide:.1f}" y="{HEIGHT - tall:.1f}" width="{wide - 1:.1f}" height="{tall:.1f}"'
        drawn.append(f'<rect {box} fill="#2f6fb0"><title>{said}</title></rect>')
    label = f"From 0 to {most * 1000:.0f} ms."
    return _plot(label, drawn)


def _plot(label: str, drawn: list[str]) -> str:
    size = f'viewBox="0 0 {WIDTH} {HEIGHT}" width="100%"'
    return f'<svg {size} role="img" aria-label="{label}">{"".join(drawn)}</svg><p>{label}</p>'
