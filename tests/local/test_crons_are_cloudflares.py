"""Cron triggers speak Cloudflare's dialect, and one that can't be read stops no other."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime
from pathlib import Path

import pytest

from inferstack.catalog import crons
from inferstack.config import load_stack
from inferstack.errors import ConfigError
from inferstack.local._store import Store
from inferstack.local.cron import due_at
from inferstack.local.workers.scripts import SCHEDULES
from tests.conftest import Api
from tests.local.test_workers_run import deploy, says

WRONG = ["60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "0 9 * * 0", "0 9 * * 8", "* * * *", "* * * * MON#6"]
WRONG += ["*/0 * * * *", "5-1 * * * *", "* * 32W * *", "* * * * FOO", "a * * * *", "* * * * * *", "", ", * * * *"]


@pytest.mark.parametrize(
    ("expression", "moment", "fires"),
    [
        ("* * * * 4", "2026-11-25T10:00", True),  # a Wednesday
        ("* * * * 3", "2026-11-25T10:00", False),
        ("0 9 * * SUN", "2026-11-29T09:00", True),
        ("0 9 * * 1", "2026-11-29T09:00", True),
        ("0 9 * * MON-FRI", "2026-11-28T09:00", False),
        ("*/15 * * * *", "2026-11-25T10:45", True),
        ("59 23 L * *", "2026-11-30T23:59", True),
        ("59 23 LW * *", "2026-10-30T23:59", True),
        ("0 0 1W * *", "2026-08-03T00:00", True),
        ("0 0 * * FRIL", "2026-11-27T00:00", True),
        ("0 0 * * MON#2", "2026-11-09T00:00", True),
        ("0 0 * * MON#2", "2026-11-16T00:00", False),
        ("0 0 * feb,NOV *", "2026-11-16T00:00", True),
    ],
)
def test_an_expression_fires_as_cloudflare_says(expression: str, moment: str, fires: bool) -> None:
    assert crons.parse(expression).matches(datetime.fromisoformat(moment)) is fires


@pytest.mark.parametrize("expression", WRONG)
def test_the_api_refuses_what_cloudflare_refuses(cloudflare: Api, expression: str) -> None:
    deploy(cloudflare, "timed", says("x")) if not cloudflare.client.get("/workers/workers/timed").is_success else None
    answer = cloudflare.client.put("/workers/scripts/timed/schedules", json=[{"cron": expression}])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10100)


@pytest.mark.parametrize("expression", WRONG)
def test_check_refuses_it_too(tmp_path: Path, expression: str) -> None:
    (tmp_path / "stacks").mkdir()
    worker = f'template: chat, model: "@cf/meta/llama-3.1-8b-instruct", crons: ["{expression}"]'
    text = f"environment: dev\nworkers:\n  api: {{ {worker} }}\n"
    (tmp_path / "stacks" / "dev.yaml").write_text(text)
    with pytest.raises(ConfigError, match="IS031"):
        load_stack("dev", tmp_path)


def test_a_bad_one_in_the_state_stops_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for script, cron in (("bad", "60 * * * *"), ("good", "* * * * *")):
        store.put(SCHEDULES, script, {"script": script, "schedules": [{"cron": cron}]})
    minute = calendar.timegm(datetime(2026, 11, 25, 10, 0, tzinfo=UTC).timetuple())
    assert due_at(store, minute) == [("good", "* * * * *")]
    store.close()
