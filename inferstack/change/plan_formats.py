"""A plan as text for a terminal, JSON for programs, Markdown for a pull request."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from inferstack.change.plan import Change, Plan
from inferstack.resources import official
from inferstack.text import paint, table

SIGNS = {"create": "+", "update": "~", "delete": "-", "replace": "+-"}
COLOURS = {"create": "green", "update": "yellow", "delete": "red", "replace": "magenta"}
NEW_BY_NATURE = {official.WorkerVersion.token, official.WorkersDeployment.token}  # each change makes one
MOST_NAMED = 5  # instances of a workflow
MARK = "<!-- inferstack plan: {stack} -->"  # finds the comment again that is to be replaced


def show(plan: Plan, style: str) -> str:
    return {"text": as_text, "json": as_json, "markdown": as_markdown}[style](plan)


def as_text(plan: Plan) -> str:
    """For a person to judge at a glance; Pulumi's diagnostics stand above it."""
    lines = list[str]()
    for what, name, difference in _differences(plan):
        if difference:
            lines += [f"{what} {name}:", *(f"    {_painted(line)}" for line in difference), ""]
    lines += _change_lines(plan)  # near the end, where a person looks
    lines += [f"{paint('Data:', 'red', 'bold')} {_loss(plan, change)}" for change in plan.losses]
    lines += _cost_lines(plan)
    for finding in plan.findings:
        place = f"{finding['file']}:{finding['line']}:{finding['column']}"
        mark = paint(f"{finding['severity']}[{finding['code']}]", "red" if finding["severity"] == "error" else "yellow")
        lines.append(f"{place}: {mark}: {finding['message']}")
    lines.append(f"{paint(f'Plan for {plan.stack}:', 'bold')} {_summary(plan)}")
    if plan.refused:
        names = " ".join(f"--allow-data-loss {change.name}" for change in plan.refused)
        lines.append(f"Refused: the environment is protected. To lose the data: inferstack up {plan.stack} {names}")
    return "\n".join(lines)


def _differences(plan: Plan) -> Iterator[tuple[str, str, list[str]]]:
    for what, found in (("Code of Worker", plan.code), ("Prompt", plan.prompts)):
        yield from ((what, name, difference) for name, difference in found.items())


def _change_lines(plan: Plan) -> list[str]:
    """A line for each resource: sign, type, name, and the properties that change; `!` marks those that need a new one."""
    if not plan.changes:
        return []
    rows = [("", "TYPE", "NAME", "CHANGES")]
    for change in plan.changes:
        op = "update" if change.type in NEW_BY_NATURE else change.op
        sign = paint(SIGNS[op], COLOURS[op], "bold")
        rows.append((sign, paint(change.kind, COLOURS[op]), change.name, _shown_paths(change)))
    return [*table(rows), ""]


def _shown_paths(change: Change) -> str:
    if change.op not in ("update", "replace"):
        return ""
    if change.type in NEW_BY_NATURE:
        parts = dict.fromkeys(re.split(r"[.\[]", path)[0] for path in change.paths)
        return ", ".join("code" if part == "modules" else part for part in parts)
    return ", ".join(paint(f"{path} !", "red") if path in change.replacing else path for path in change.paths)


def _painted(line: str) -> str:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    return paint(line, colour) if colour else line


def as_json(plan: Plan) -> str:
    changes = [
        {
            "op": change.op,
            "type": change.type,
            "name": change.name,
            "urn": change.urn,
            "properties": list(change.paths),
            "replacing": list(change.replacing),
            "loses_data": change.loses_data,
        }
        for change in plan.changes
    ]
    cost = {"before": plan.cost[0], "after": plan.cost[1]} if plan.cost else None
    document = {
        "stack": plan.stack,
        "counts": {**plan.counts(), "unchanged": plan.unchanged},
        "changes": changes,
        "refused": [change.name for change in plan.refused],
        "code": {worker: "\n".join(lines) for worker, lines in plan.code.items()},
        "prompts": {worker: "\n".join(lines) for worker, lines in plan.prompts.items() if lines},
        "usd_a_month": cost,
        "findings": plan.findings,
    }
    return json.dumps(document, indent=2)


def as_markdown(plan: Plan) -> str:
    lines = [MARK.format(stack=plan.stack), f"### inferstack plan for `{plan.stack}`: {_summary(plan)}", ""]
    for change in plan.losses:
        lines += ["> [!CAUTION]", f"> {_loss(plan, change)}", ""]
    if plan.changes:
        lines += ["| | Resource | Type | Properties |", "| --- | --- | --- | --- |"]
        lines += [
            f"| {change.op} | `{change.name}` | {change.kind} | {_properties(change)} |" for change in plan.changes
        ]
        lines.append("")
    for what, name, difference in _differences(plan):
        if difference:
            lines += [f"<details><summary>{what} <code>{name}</code></summary>", "", "```diff"]
            lines += [*(line.replace("```", "`\u200b``") for line in difference), "```", "", "</details>", ""]
    cost = _cost_lines(plan)
    lines += [f"**{cost[0]}**", "", *(f"- {line.strip()}" for line in cost[1:]), ""] if cost else []
    if plan.findings:
        lines += ["| Finding | Where | What | Fix |", "| --- | --- | --- | --- |"]
        for finding in plan.findings:
            where = f"`{finding['file']}:{finding['line']}`"
            cells = (f"{finding['severity']} {finding['code']}", where, finding["message"], finding["fix"])
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines).rstrip()


def _summary(plan: Plan) -> str:
    counts = [f"{number} to {word}" for word, number in plan.counts().items()]
    return ", ".join([*(counts or ["no changes"]), f"{plan.unchanged} unchanged"])


def _loss(plan: Plan, change: Change) -> str:
    why = f" ({', '.join(change.replacing)} cannot change in place)" if change.op == "replace" else ""
    named = "" if change not in plan.refused else "; refused unless named"
    if change.drops:
        classes = ", ".join(f"`{name}`" for name in change.drops)
        return f"the Durable Objects of {classes} (`{change.name}`) would be deleted, and all that they hold is lost{named}"
    if change.workflow is not None:
        ids = plan.running.get(change.name, [])
        shown = ", ".join(f"`{each}`" for each in ids[:MOST_NAMED]) + (", …" if len(ids) > MOST_NAMED else "")
        running = f"; not ended yet: {shown}" if ids else ""
        return f"Workflow `{change.name}` would be {change.op}d with all its instances{running}{why}{named}"
    return f"{change.kind} `{change.name}` would be {change.op}d, and all that it holds is lost{why}{named}"


def _properties(change: Change) -> str:
    return ", ".join(f"**{path}**" if path in change.replacing else path for path in change.paths)


def _cost_lines(plan: Plan) -> list[str]:
    """What the change would cost, by resource, from the figures under `expect`."""
    if plan.cost is None:
        return []
    before, after = plan.cost
    lines = [f"Estimate: {before.get('total', 0):,.2f} → {after['total']:,.2f} USD a month"]
    for key in sorted((before.keys() | after.keys()) - {"total"}):
        difference = after.get(key, 0.0) - before.get(key, 0.0)
        if abs(difference) >= 0.005:
            lines.append(f"    {key}: {before.get(key, 0.0):,.2f} → {after.get(key, 0.0):,.2f} ({difference:+,.2f})")
    return lines
