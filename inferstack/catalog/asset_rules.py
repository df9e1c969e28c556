"""The rules that come with static assets: `_headers`, `_redirects`, and the list form of `run_worker_first`.

Source: https://developers.cloudflare.com/workers/static-assets/headers/, /redirects/ and /binding/#run_worker_first (2026-11),
the limits also from the parsers of npm `miniflare` 5.20261023.0-beta.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

LONGEST_LINE, MOST_HEADER_RULES, MOST_STATIC, MOST_DYNAMIC = 2000, 100, 2000, 100
MOST_WORKER_FIRST, LONGEST_WORKER_FIRST = 100, 100
STATUSES = (200, 301, 302, 303, 307, 308)
STARTS_RULE = re.compile(r"/|[^\s]+://")
DYNAMIC = re.compile(r"\*|:[A-Za-z]\w*")


@dataclass(frozen=True, slots=True)
class Problem:
    """A line that is left out, and why. Lines count from 1."""

    line: int
    text: str


@dataclass(slots=True)
class Rules:
    """`static` holds redirects without a pattern, which are looked up; `dynamic` all others, in order."""

    static: dict[str, Any] = field(default_factory=dict)
    dynamic: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def read_headers(text: str) -> Rules:
    """Path → `set` (name → value) and `unset` (names), in `dynamic`."""
    rules = Rules()
    current: dict[str, Any] | None = None
    refused = False  # the path that was read last
    for number, line in _lines(text, rules):
        if STARTS_RULE.match(line):
            current, refused = None, False
            if len(rules.dynamic) >= MOST_HEADER_RULES:
                rules.problems.append(Problem(number, f"there may be {MOST_HEADER_RULES} rules, the rest is left out"))
                break
            if line.count("*") > 1:
                refused = True
                rules.problems.append(Problem(number, "a path may have one `*`"))
                continue
            current = rules.dynamic.setdefault(line, {"set": {}, "unset": []})
            continue
        if current is None:
            if rules.dynamic or not refused:
                rules.problems.append(Problem(number, "no path stands before it"))
            continue
        _header(number, line, current, rules)
    return rules


def _header(number: int, line: str, rule: dict[str, Any], rules: Rules) -> None:
    if line.startswith("! "):
        rule["unset"].append(line.removeprefix("! ").strip())
        return
    name, colon, value = line.partition(":")
    name, value = name.strip().lower(), value.strip()
    if not colon or not name or " " in name or not value:
        rules.problems.append(Problem(number, "it is neither `Name: value` nor `! Name`"))
        return
    before = rule["set"].get(name)
    rule["set"][name] = f"{before}, {value}" if before else value


def read_redirects(text: str) -> Rules:
    """From → `status` and `to` (and `lineNumber`, where the line is static)."""
    rules = Rules()
    for number, line in _lines(text, rules):
        words = re.sub(r"\s+#.*$", "", line).split()
        problem = _redirect_problem(words, rules)
        if problem:
            rules.problems.append(Problem(number, problem))
            continue
        source, to, status = words[0], words[1], int(words[2]) if len(words) > 2 else 302
        if not DYNAMIC.search(source) and not rules.dynamic:
            if len(rules.static) >= MOST_STATIC:
                rules.problems.append(Problem(number, f"there may be {MOST_STATIC} redirects without a pattern"))
                continue
            rules.static.setdefault(source, {"status": status, "to": to, "lineNumber": number})
            continue
        if len(rules.dynamic) >= MOST_DYNAMIC:
            text = f"there may be {MOST_DYNAMIC} redirects with a pattern, the rest is left out"
            rules.problems.append(Problem(number, text))
            break
        rules.dynamic.setdefault(source, {"status": status, "to": to})
    return rules


def _redirect_problem(words: list[str], rules: Rules) -> str:
    if not 2 <= len(words) <= 3:
        return "a redirect has two or three words: from, to and a status"
    source, to = words[0], words[1]
    if not source.startswith("/"):
        return "the source must be a path of this Worker, from `/` on"
    if source in rules.static or source in rules.dynamic:
        return f"there is a redirect of {source} already"
    status = words[2] if len(words) > 2 else "302"
    if not status.isdigit() or int(status) not in STATUSES:
        return f"the status must be one of {', '.join(map(str, STATUSES))}"
    host = urlsplit(to).netloc
    if not to.startswith("/") and not host:
        return "the target must be a path from `/` on, or a URL"
    if int(status) == 200 and host:
        return "status 200 serves a path of this Worker, and no other host"
    return ""


def read_worker_first(rules: list[str]) -> dict[str, list[str]]:
    """Which paths go to the Worker first, and which (`!/path`) do not. Raises ValueError."""
    if not 0 < len(rules) <= MOST_WORKER_FIRST:
        raise ValueError(f"it has {len(rules)} rules; 1 to {MOST_WORKER_FIRST} are taken")
    for rule in rules:
        if not rule.removeprefix("!").startswith("/"):
            raise ValueError(f"`{rule}` must start with `/` or `!/`")
        if len(rule) > LONGEST_WORKER_FIRST:
            raise ValueError(f"`{rule[:40]}…` is longer than {LONGEST_WORKER_FIRST} characters")
    worker = [rule for rule in rules if not rule.startswith("!")]
    if not worker:
        raise ValueError("it has rules with `!` only, which leave nothing for the Worker")
    return {"user_worker": worker, "asset_worker": [rule[1:] for rule in rules if rule.startswith("!")]}


def _lines(text: str, rules: Rules) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        if len(line) > LONGEST_LINE:
            rules.problems.append(Problem(number, f"the line is longer than {LONGEST_LINE} characters"))
            continue
        yield number, line
