"""What `inferstack gateway test` found, for people."""

from __future__ import annotations

from typing import Any

from inferstack.text import paint, table

COLOURS = {"passes": "green", "flags": "yellow", "refuses": "red", "leads away": "cyan", "depends": "dim"}
KEYS = {"not needed": "no key needed", "kept": "kept by the gateway", "paid by credits": "AI Gateway's credits pay"}


def as_text(test: dict[str, Any]) -> str:
    """`test` as `tested` gives it."""
    with_what = ", ".join(f"{name}={value}" for name, value in test["metadata"].items())
    lines = [f"{test['stack']}: a call of `{test['model']}`{f' with {with_what}' if with_what else ''}"]
    if test["gateway"] is None:
        lines.append("no gateway: `env.AI` asks Workers AI itself")
    else:
        route = f", route `{test['route']}`" if test["route"] else ""
        lines.append(f"gateway `{test['gateway']}` ({test['gateway_id']}){route}")
    if test["steps"]:
        rows: list[tuple[str, ...]] = [("WHAT", "", "DETAIL", "IF REFUSED")]
        for each in test["steps"]:
            outcome = paint(each["outcome"], COLOURS[each["outcome"]])
            rows.append((each["what"], outcome, each["detail"], _refusal(each["refusal"])))
        lines += ["", *table(rows)]
    models = [("MODEL", "WHEN", "KEY", "USD A CALL", ""), *map(_row, test["answers"])]
    lines += ["", *table(models), "", _verdict(test)]
    return "\n".join(lines)


def _row(answer: dict[str, Any]) -> tuple[str, ...]:
    part = answer["part"]
    when = "first" if part == 1 else f"first, {part:.0%}" if part else answer["when"]
    key = KEYS.get(answer["key"], "missing")
    if answer["here"] is False:
        key += ", and its variable is not set here"
    price = "not known" if answer["usd"] is None else f"{answer['usd']:.6f}"
    name = f"{answer['alias']}: {answer['provider']} {answer['model']}".replace("workers-ai ", "")
    return name, when, key, price, _refusal(answer["refusal"])


def _refusal(refusal: dict[str, int] | None) -> str:
    return f"{refusal['status']}, code {refusal['code']}" if refusal else ""


def _verdict(test: dict[str, Any]) -> str:
    tokens = test["priced_for"]
    why = "assumed; `expect` says none" if tokens["assumed"] else "as `expect` says"
    priced = f"Prices are for {tokens['input']:g} tokens in and {tokens['output']:g} out ({why})."
    if test["refusal"]:
        return paint(f"Refused: {_refusal(test['refusal'])}.", "red")
    return f"Answered by {' or '.join(f'`{alias}`' for alias in test['answered_by'])}. {priced}"
