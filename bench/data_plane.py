"""`python bench/data_plane.py [--quick]`: bindings beside miniflare in one run, deploys under load, many Workers.

Calls per second, the two sides taking turns; a ratio is ours over miniflare's, and 1 is as fast. Into `bench/results.json`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

import httpx

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import data_plane_load as load  # noqa: E402
from bench.data_plane_engines import Engine, local_cloudflare, miniflare  # noqa: E402
from inferstack.live.tracing import switch  # noqa: E402

KEY = "data plane"
GOAL = 0.9
# Calls in one request, and how many at a time.
CALLS = {
    "kv get": 400,
    "kv put": 200,
    "r2 get 10 kB": 200,
    "r2 put 10 kB": 80,
    "d1 select": 400,
    "d1 insert": 200,
    "d1 batch of 5": 80,
    "queue send": 200,
    "cache put": 80,
    "cache match": 200,
    "object call": 400,
    "service call": 400,
    "assets fetch": 200,
}
LANES = 8
REQUESTS = {"plain Worker": "/", "assets": "/app.js"}


def ask(engine: Engine, name: str, query: str) -> None:
    answer = httpx.get(f"{engine.address}/{quote(name)}?{query}", headers={"host": engine.host}, timeout=120)
    assert answer.status_code == 200, answer.text


def calls(engine: Engine, name: str, count: int) -> float:
    """Calls of a binding per second."""
    began = time.perf_counter()
    ask(engine, name, f"count={count}&lanes={LANES}")
    return count / (time.perf_counter() - began)


def compared(ours: list[float], theirs: list[float]) -> dict[str, float]:
    a, b = statistics.median(ours), statistics.median(theirs)
    return {"ours_per_s": round(a), "miniflare_per_s": round(b), "ratio": round(a / b, 2)}


def bindings(ours: Engine, theirs: Engine, rounds: int) -> dict[str, dict[str, float]]:
    found = {}
    for name, count in CALLS.items():
        for engine in (ours, theirs):
            ask(engine, name, "prepare")
            calls(engine, name, LANES)  # its first calls open connections
        turns = [(calls(ours, name, count), calls(theirs, name, count)) for _ in range(rounds)]
        found[name] = compared([a for a, _ in turns], [b for _, b in turns])
    for name, path in REQUESTS.items():
        turns = [(load.rate(ours, path, LANES), load.rate(theirs, path, LANES)) for _ in range(rounds)]
        found[name] = compared([a for a, _ in turns], [b for _, b in turns])
    return found


def traced(ours: Engine, theirs: Engine, rounds: int) -> dict[str, float]:
    """Ratios of what is an invocation of its own, while each leaves a trace."""
    assert ours.api is not None
    switch(ours.api.folder, "on")
    found = {}
    for name, measure in (
        ("plain Worker", lambda engine: load.rate(engine, "/", LANES)),
        ("service call", lambda engine: calls(engine, "service call", CALLS["service call"])),
    ):
        turns = [(measure(ours), measure(theirs)) for _ in range(rounds)]
        found[name] = compared([a for a, _ in turns], [b for _, b in turns])["ratio"]
    switch(ours.api.folder, "off")
    return found


def started(folder: Path) -> dict[str, float]:
    """Seconds from nothing to a Worker that answers, with all that it binds, and megabytes then."""
    figures = {}
    for name, start in (("ours", local_cloudflare), ("miniflare", miniflare)):
        (folder / f"start-{name}").mkdir()
        began = time.perf_counter()
        with start(folder / f"start-{name}") as engine:
            ask(engine, "", "")
            figures[f"{name}_s"] = round(time.perf_counter() - began, 2)
            figures[f"{name}_MB"] = load.megabytes(engine.pid)
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds and ten Workers; the figures are not kept")
    quick = parser.parse_args().quick
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for side in ("ours", "theirs"):
            (folder / side).mkdir()
        with local_cloudflare(folder / "ours") as ours, miniflare(folder / "theirs") as theirs:
            found = bindings(ours, theirs, 3 if quick else 9)
            rest = {
                "memory after load, MB": {"ours": load.megabytes(ours.pid), "miniflare": load.megabytes(theirs.pid)}
            }
            rest |= {"with traces": traced(ours, theirs, 3 if quick else 9)}
            rest |= {f"deploys under load, {kind}": load.deploys(ours, kind) for kind in ("plain", "object")}
        rest["start"] = started(folder)
        (folder / "many").mkdir()
        rest["many Workers"] = load.many(folder / "many", *((10, 3) if quick else (50, 10)))
    print(f"{'calls per second':20}{'ours':>9}{'miniflare':>11}{'ratio':>8}")
    for what, each in found.items():
        below = "  below the goal" if each["ratio"] < GOAL else ""
        print(f"{what:20}{each['ours_per_s']:>9}{each['miniflare_per_s']:>11}{each['ratio']:>8.2f}{below}")
    for what, figures in rest.items():
        print(f"{what}: {figures}")
    if not quick:
        file = ROOT / "bench" / "results.json"
        kept = json.loads(file.read_text()) | {KEY: {**found, **rest}}
        file.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
