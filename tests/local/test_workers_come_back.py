"""The runtime of the Workers ends or hangs: it is noticed and started again."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

import httpx

from inferstack import local
from tests.conftest import Api
from tests.local.test_workers_run import deploy, says, wait_for


def workerds(parent: int) -> list[int]:
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [int(pid) for pid in children if "workerd" in Path(f"/proc/{pid}/cmdline").read_text()]


def answers(api: Api) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(
            f"http://127.0.0.1:{api.running.port}/", headers={"host": "fine.local.localhost"}, timeout=2
        ).is_success
    return False


def test_workers_come_back_after_kills_while_they_start(cloudflare: Api) -> None:
    deploy(cloudflare, "fine", says("fine"))
    for _ in range(6):
        for pid in workerds(cloudflare.running.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.55)
    assert wait_for(lambda: answers(cloudflare), 30)


def test_an_endless_loop_in_one_worker_does_not_stop_the_others_for_good(cloudflare: Api) -> None:
    deploy(cloudflare, "fine", says("fine"))
    deploy(cloudflare, "loop", "export default { fetch() { for (;;) {} } }")
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{cloudflare.running.port}/", headers={"host": "loop.local.localhost"}, timeout=1)
    assert local.workers_trouble(cloudflare.folder, cloudflare.running)[0] is False
    assert wait_for(lambda: answers(cloudflare), 40)
    answering, trouble = local.workers_trouble(cloudflare.folder, cloudflare.running)
    assert answering
    assert "endless loop" in trouble
