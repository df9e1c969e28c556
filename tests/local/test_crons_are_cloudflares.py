"""Cron triggers speak Cloudflare's dialect, and one that can't be read stops no other."""

from __future__ import annotations

import calendar
import threading
import time
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
WRONG += ["*/0 * * * *", "* * 32W * *", "* * * * FOO", "a * * * *", "* * * * * *", "", ", * * * *", "5, * * * *"]
WRONG += ["*/60 * * * *", "* */24 * * *", "* * */31 * *", "* * * */12 *", "* * * * */7", "1-60 * * * *", "-5 * * * *"]
WRONG += ["*,5 * * * *", "*-30/5 * * * *", "5/ * * * *", "1-2-3 * * * *", "5//2 * * * *", "256 * * * *"]
WRONG += ["* * L,3 * *", "* * 3,L * *", "* * 1W,15W * *", "* * L-0 * *", "* * L-31W * *", "* * l * *", "* * W * *"]
WRONG += [
    "* * * * FRIL,MON",
    "* * * * MON#2,TUE#1",
    "* * * * MON#0",
    "* * * * 8L",
    "* * * * SUNDAY",
    " * * * * *",
    "* * * * * ",
]


@pytest.mark.parametrize(
    ("expression", "fires", "rests"),
    [
        ("* * * * 4", ["2026-11-25T10:00"], ["2026-11-24T10:00", "2026-11-26T10:00"]),  # a Wednesday
        ("0 9 * * SUN", ["2026-11-29T09:00"], ["2026-11-30T09:00"]),
        ("0 9 * * 1", ["2026-11-29T09:00"], ["2026-11-30T09:00"]),
        ("0 9 * * MON-FRI", ["2026-11-27T09:00"], ["2026-11-28T09:00", "2026-11-29T09:00"]),
        ("*/15 * * * *", ["2026-11-25T10:45"], ["2026-11-25T10:46"]),
        ("*/15,30-59/10 0 * * *", ["2020-01-01T00:40", "2020-01-01T00:45"], ["2020-01-01T00:20"]),
        ("0 0 * feb,NOV *", ["2026-11-16T00:00"], ["2026-10-16T00:00"]),
        ("007 * * * *", ["2026-11-16T00:07"], ["2026-11-16T00:08"]),
        ("0 20/2 * * *", ["2026-11-16T22:00"], ["2026-11-16T00:00", "2026-11-16T21:00"]),
        # Behind a comma `*` is the least value.
        ("5,* * * * *", ["2026-11-16T00:00", "2026-11-16T00:05"], ["2026-11-16T00:06"]),
        # Ranges over the end
        ("0 9 * * FRI-MON", ["2026-11-27T09:00", "2026-11-28T09:00", "2026-11-30T09:00"], ["2026-11-26T09:00"]),
        ("59-0 23-0 31-1 12-1 *", ["2020-01-31T00:59", "2020-12-01T23:00"], ["2020-12-02T23:00", "2020-02-01T00:00"]),
        ("0 20-4/2 * * *", ["2020-01-01T22:00", "2020-01-01T02:00"], ["2020-01-01T21:00", "2020-01-01T06:00"]),
        ("0 0 * * FRI-TUE/2", ["2026-11-27T00:00", "2026-11-29T00:00", "2026-12-01T00:00"], ["2026-11-28T00:00"]),
        # Days of the month from its end, and the nearest working day
        ("0 0 L FEB *", ["2024-02-29T00:00", "2100-02-28T00:00"], ["2024-02-28T00:00"]),
        ("0 0 L-1 FEB *", ["2024-02-28T00:00"], ["2024-02-29T00:00"]),
        ("0 0 LW MAY *", ["2025-05-30T00:00", "2021-05-31T00:00", "2020-05-29T00:00"], ["2025-05-31T00:00"]),
        ("0 0 L-1W MAY *", ["2025-05-30T00:00", "2021-05-31T00:00", "2020-05-29T00:00"], ["2021-05-30T00:00"]),
        ("0 0 L-30W * *", ["2021-05-03T00:00", "2022-01-03T00:00"], ["2021-05-01T00:00", "2021-02-01T00:00"]),
        ("0 0 1W MAY *", ["2020-05-01T00:00", "2022-05-02T00:00", "2021-05-03T00:00"], ["2021-05-01T00:00"]),
        ("0 0 31W * *", ["2026-10-30T00:00"], ["2026-11-30T00:00"]),
        # The last and the nth of a weekday
        ("0 0 * * L", ["2026-11-28T00:00"], ["2026-11-27T00:00"]),
        ("0 0 * * 7L", ["2020-02-29T00:00", "2020-03-28T00:00"], ["2020-03-21T00:00", "2020-03-31T00:00"]),
        ("0 0 * * friL", ["2026-11-27T00:00"], ["2026-11-20T00:00"]),
        ("0 0 * * SAT#5", ["2020-02-29T00:00"], ["2020-03-28T00:00"]),
        ("0 0 * * MON#2", ["2026-11-09T00:00"], ["2026-11-16T00:00"]),
        # Days of both kinds: either is enough, and a step is given as a number is
        ("0 0 13 * FRI", ["2026-11-13T00:00", "2026-11-20T00:00", "2026-10-13T00:00"], ["2026-10-14T00:00"]),
        ("0 0 */2 * MON", ["2026-11-16T00:00", "2026-11-17T00:00"], ["2026-11-18T00:00"]),
        ("0 0 L * L", ["2026-11-30T00:00", "2026-11-28T00:00"], ["2026-11-29T00:00"]),
    ],
)
def test_an_expression_fires_as_cloudflare_says(expression: str, fires: list[str], rests: list[str]) -> None:
    cron = crons.parse(expression)
    assert [cron.matches(datetime.fromisoformat(moment)) for moment in fires] == [True] * len(fires)
    assert [cron.matches(datetime.fromisoformat(moment)) for moment in rests] == [False] * len(rests)


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
    with pytest.raises(ConfigError) as refused:
        load_stack("dev", tmp_path)
    place = f"stacks/dev.yaml:3:{text.splitlines()[2].index(chr(34) + expression + chr(34)) + 1}: error[IS031]"
    assert place in str(refused.value)
    assert "weekdays are 1 (Sunday) to 7" in str(refused.value)


def test_a_bad_one_in_the_state_stops_no_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for script, cron in (("bad", "60 * * * *"), ("good", "* * * * *")):
        store.put(SCHEDULES, script, {"script": script, "schedules": [{"cron": cron}]})
    minute = calendar.timegm(datetime(2026, 11, 25, 10, 0, tzinfo=UTC).timetuple())
    assert due_at(store, minute) == [("good", "* * * * *")]
    store.close()


def test_a_slow_handler_delays_no_other(cloudflare: Api) -> None:
    waits = "export default { async scheduled() { await new Promise((done) => setTimeout(done, 6000)) } }"
    deploy(cloudflare, "slow", waits)
    deploy(cloudflare, "quick", "export default { async scheduled() {} }")
    times: list[tuple[str, float]] = []

    def fire(name: str) -> None:
        path = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/scheduled/{name}"
        answer = cloudflare.client.post(path, params={"cron": "* * * * *"})
        assert answer.json()["result"]["outcome"] == "ok", answer.text
        times.append((name, time.monotonic()))

    fire("quick")
    started = time.monotonic()
    slow = threading.Thread(target=fire, args=("slow",))
    slow.start()
    time.sleep(0.3)
    fire("quick")
    slow.join()
    assert [name for name, _ in times] == ["quick", "quick", "slow"]
    assert times[1][1] - started < 5
