"""An estimate as people and programs read it: whole texts, for one stack and for several side by side."""

from __future__ import annotations

import json
from typing import Any

import pytest

from inferstack import catalog
from inferstack.cost.cost_formats import FORMATS, show
from inferstack.cost.estimate import Estimate, Line

RETRIEVED = catalog.sources()["retrieved"]
MONTH = f"A month is 30 days; prices as read on {RETRIEVED}, without tax."

ONE = Estimate(
    "prod",
    "paid",
    [
        Line("Queues", "queues.q", "operations", 10_500_000, 1e6, 0.4),
        Line("Queues", "account", "operations", -1_000_000, 1e6, 0.4),
        Line("D1", "databases.d", "rows read", 1, 1e6, 0.001),
    ],
    ["indexes.i: the dimensions are not known"],
)
OTHER = Estimate(
    "dev",
    "free",
    [Line("KV", "namespaces.n", "reads", 2_468_000_000, 1e6, 0.5), Line("KV", "account", "reads", -1e6, 1e6, 0.5)],
    ["one", "two"],
)
NOTHING = Estimate("bare", "paid")

TABLE = f"""\
product  resource     item             computed from                     USD a month
-------  -----------  ---------------  --------------------------------  -----------
Queues   queues.q     operations       10,500,000 / 1,000,000 × 0.4 USD         4.20
Queues   included     operations       -1,000,000 / 1,000,000 × 0.4 USD        -0.40
D1       databases.d  rows read        1 / 1,000,000 × 0.001 USD                0.00
                      total of `prod`  plan: paid                               3.80

- prod: indexes.i: the dimensions are not known
{MONTH}"""

MARKDOWN = f"""\
| product | resource | item | computed from | USD a month |
| --- | --- | --- | --- | --- |
| Queues | queues.q | operations | 10,500,000 / 1,000,000 × 0.4 USD | 4.20 |
| Queues | included | operations | -1,000,000 / 1,000,000 × 0.4 USD | -0.40 |
| D1 | databases.d | rows read | 1 / 1,000,000 × 0.001 USD | 0.00 |
|  |  | total of `prod` | plan: paid | 3.80 |

- prod: indexes.i: the dimensions are not known
{MONTH}"""

CSV = """\
product,resource,item,computed from,USD a month
Queues,queues.q,operations,"10,500,000 / 1,000,000 × 0.4 USD",4.20
Queues,included,operations,"-1,000,000 / 1,000,000 × 0.4 USD",-0.40
D1,databases.d,rows read,"1 / 1,000,000 × 0.001 USD",0.00
,,total of `prod`,plan: paid,3.80"""

# The account stands last, as it belongs to no resource; columns of numbers are to the right.
COMPARED = f"""\
USD a month                    prod       dev  difference
----------------------------  -----  --------  ----------
queues.q                       4.20      0.00       -4.20
databases.d                    0.00      0.00       +0.00
namespaces.n                   0.00  1,234.00   +1,234.00
account: plan and allowances  -0.40     -0.50       -0.10
total                          3.80  1,233.50   +1,229.70

- prod: indexes.i: the dimensions are not known
- dev: one
- dev: two
{MONTH}"""

COMPARED_CSV = """\
USD a month,dev,bare,difference
namespaces.n,"1,234.00",0.00,"-1,234.00"
account: plan and allowances,-0.50,0.00,+0.50
total,"1,233.50",0.00,"-1,233.50\""""

EMPTY = f"""\
product  resource  item             computed from  USD a month
-------  --------  ---------------  -------------  -----------
                   total of `bare`  plan: paid            0.00

- bare: nothing to compute with; say what you expect under `expect:`
{MONTH}"""

TEXTS = {
    "a table": ("table", [ONE], TABLE),
    "Markdown": ("markdown", [ONE], MARKDOWN),
    "CSV": ("csv", [ONE], CSV),
    "two stacks": ("table", [ONE, OTHER], COMPARED),
    "two stacks as CSV": ("csv", [OTHER, NOTHING], COMPARED_CSV),
    "nothing expected": ("table", [NOTHING], EMPTY),
}


@pytest.mark.parametrize(("kind", "estimates", "text"), TEXTS.values(), ids=TEXTS)
def test_the_whole_text(kind: str, estimates: list[Estimate], text: str) -> None:
    assert show(estimates, kind) == text


def test_without_an_account_s_lines_a_comparison_has_no_row_of_it() -> None:
    one = Estimate("a", "paid", [Line("D1", "databases.d", "GB stored", 2, 1, 0.75)])
    other = Estimate("b", "paid", [Line("D1", "databases.d", "GB stored", 3, 1, 0.75)])
    assert show([one, other], "csv").split("\n")[1:] == ["databases.d,1.50,2.25,+0.75", "total,1.50,2.25,+0.75"]


def test_less_than_one_that_is_included_is_told_as_that() -> None:
    line = Line("D1", "account", "GB stored", -0.5, 1, 0.75)
    assert "\nD1,included,GB stored,-0.50 × 0.75 USD,-0.38\n" in show([Estimate("s", "paid", [line])], "csv")


def test_a_comparison_with_a_stack_that_expects_nothing_says_so() -> None:
    note = "- bare: nothing to compute with; say what you expect under `expect:`"
    assert note in show([NOTHING, ONE], "table").split("\n")
    assert note not in show([ONE, NOTHING], "table").split("\n")


AMOUNTS = {
    0.0: "0.00",
    0.004: "0.00",
    -0.004: "0.00",
    0.005: "0.01",
    0.5: "0.50",
    1234.567: "1,234.57",
    -0.006: "-0.01",
}


@pytest.mark.parametrize(("usd", "text"), AMOUNTS.items())
def test_an_amount_is_to_the_cent_and_never_minus_nothing(usd: float, text: str) -> None:
    shown = show([Estimate("s", "paid", [Line("p", "r", "i", 1, 1, usd)])], "markdown")
    assert shown.split("\n")[2].endswith(f" | {text} |")


PLAIN: dict[str, Any] = {
    "stack": "prod",
    "plan": "paid",
    "days": 30,
    "usd": 3.8,
    "lines": [
        {
            "product": "Queues",
            "resource": "queues.q",
            "item": "operations",
            "quantity": 10_500_000,
            "per": 1e6,
            "price_usd": 0.4,
            "usd": 4.2,
        },
        {
            "product": "Queues",
            "resource": "account",
            "item": "operations",
            "quantity": -1_000_000,
            "per": 1e6,
            "price_usd": 0.4,
            "usd": -0.4,
        },
        {
            "product": "D1",
            "resource": "databases.d",
            "item": "rows read",
            "quantity": 1,
            "per": 1e6,
            "price_usd": 0.001,
            "usd": 0.0,
        },
    ],
    "notes": ["indexes.i: the dimensions are not known"],
    "sources": {
        product: catalog.source_of(product) for product in ("workers_ai", "workers", "vectorize", "d1", "r2", "kv", "queues")
    },
}  # fmt: skip


def test_a_program_reads_every_figure_and_where_prices_are_from() -> None:
    shown = show([ONE], "json")
    assert json.loads(shown) == PLAIN
    assert shown.startswith('{\n  "stack": "prod"')


def test_a_program_reads_several_stacks_as_a_list() -> None:
    first, second = json.loads(show([ONE, OTHER], "json"))
    assert first == PLAIN
    assert (second["stack"], second["plan"], second["usd"], second["notes"]) == ("dev", "free", 1233.5, ["one", "two"])


def test_amounts_of_a_program_are_to_a_millionth() -> None:
    line = Line("p", "r", "i", 1, 3, 1)
    plain = json.loads(show([Estimate("s", "paid", [line, line])], "json"))
    assert ([row["usd"] for row in plain["lines"]], plain["usd"]) == ([0.333333, 0.333333], 0.666667)


def test_the_formats_that_can_be_asked_for() -> None:
    assert FORMATS == ("table", "json", "markdown", "csv")
