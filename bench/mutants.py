"""`make mutants`: how many small wrong changes the fast tests notice, by room; the figures go into `bench/results.json`.

A sample of all mutants, evenly over the modules, is tried in copies of this checkout, where the unit tests of the room
run until the first fails. Tests that hang have noticed, too. `SEED` and `COUNT` choose the sample.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.equivalents import EQUIVALENT  # noqa: E402
from bench.mutations import Mutant, mutants  # noqa: E402

RESULTS = ROOT / "bench" / "results.json"
LEFT_OUT = (".git", ".inferstack", ".mypy_cache", ".pytest_cache", ".ruff_cache", "__pycache__")
LINKED = (".venv", "node_modules")


@dataclass(frozen=True, slots=True)
class Room:
    """Modules without side effects, and the tests that answer for them: files, and options of pytest."""

    modules: tuple[str, ...]
    tests: tuple[str, ...]


ROOMS = {
    "config": Room(("inferstack/config",), ("tests/config", "--ignore=tests/config/test_fuzz.py")),
    "render": Room(("inferstack/render",), ("tests/render", "-k", "not type_checks and not linter")),
    "cost": Room(("inferstack/cost",), ("tests/cost",)),
    "plugin": Room(
        ("inferstack/plugin/diff.py", "inferstack/plugin/properties.py"),
        ("tests/plugin",),
    ),
    "cloudflare": Room(("inferstack/cloudflare",), ("tests/cloudflare",)),
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One mutant of one module."""

    room: str
    module: str
    mutant: Mutant

    def __str__(self) -> str:
        return f"{self.module}:{self.mutant.line} {self.mutant.function}: {self.mutant.change}"


def modules_of(room: Room, root: Path) -> list[str]:
    found: list[Path] = []
    for name in room.modules:
        path = root / name
        found += sorted(path.rglob("*.py")) if path.is_dir() else [path]
    return [file.relative_to(root).as_posix() for file in found]


def all_trials(root: Path) -> dict[str, list[Trial]]:
    """By module; without the mutants that do the same as the original."""
    found = {}
    for name, room in ROOMS.items():
        for module in modules_of(room, root):
            known = EQUIVALENT.get(module, {})
            made = mutants((root / module).read_text())
            found[module] = [Trial(name, module, m) for m in made if (m.function, m.change) not in known]
    return found


def sample(trials: dict[str, list[Trial]], count: int, seed: int) -> list[Trial]:
    """One of each module, then a second of each, and so on."""
    chance = random.Random(seed)
    left = [chance.sample(of_module, len(of_module)) for of_module in trials.values()]
    turns = [trial for turn in range(max(map(len, left))) for row in left for trial in row[turn : turn + 1]]
    return turns[:count]


class Copy:
    """A copy of the checkout, in which one module at a time is changed."""

    def __init__(self, folder: Path) -> None:
        shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(*LEFT_OUT, *LINKED), symlinks=True)
        for name in LINKED:
            (folder / name).symlink_to(ROOT / name)
        self._folder = folder
        self._limits: dict[str, float] = {}

    def measure(self, room: str) -> None:
        """How long the tests of a room take at most; they pass on what is not changed."""
        started = time.monotonic()
        if self._fails(room, 600):
            raise SystemExit(f"the tests of {room} fail without any change: {' '.join(ROOMS[room].tests)}")
        self._limits[room] = 10 + 3 * (time.monotonic() - started)

    def catches(self, trial: Trial) -> bool:
        """Whether the tests of its room notice it."""
        file = self._folder / trial.module
        original = file.read_text()
        try:
            self._write(file, trial.mutant.source)
            return self._fails(trial.room, self._limits[trial.room])
        finally:
            self._write(file, original)

    def _write(self, file: Path, source: str) -> None:
        """Python takes a compiled file for fresh when time and size are the same, as they may be here."""
        file.write_text(source)
        Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)

    def _fails(self, room: str, limit: float) -> bool:
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *ROOMS[room].tests]
        environment = {**os.environ, "PYTHONPATH": str(self._folder)}
        with subprocess.Popen(
            command,
            cwd=self._folder,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as running:
            try:
                return running.wait(limit) != 0
            except subprocess.TimeoutExpired:
                with suppress(ProcessLookupError):
                    os.killpg(running.pid, 9)
                return True


def try_all(trials: list[Trial], jobs: int) -> list[tuple[Trial, bool]]:
    """Each with whether it was caught."""
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(jobs) as pool:
        copies: SimpleQueue[Copy] = SimpleQueue()

        def prepare(number: int) -> None:
            made = Copy(Path(folder) / f"copy{number}")
            for room in sorted({trial.room for trial in trials}):
                made.measure(room)
            copies.put(made)

        def attempt(trial: Trial) -> tuple[Trial, bool]:
            used = copies.get()
            try:
                caught = used.catches(trial)
            finally:
                copies.put(used)
            if not caught:
                print(f"survived: {trial}", flush=True)
            return trial, caught

        list(pool.map(prepare, range(jobs)))
        return list(pool.map(attempt, trials))


def figures(outcomes: Iterable[tuple[Trial, bool]]) -> dict[str, dict[str, float]]:
    """Caught and tried by room, and of all."""
    counted: dict[str, list[bool]] = {}
    for trial, caught in outcomes:
        counted.setdefault(trial.room, []).append(caught)
    counted = dict(sorted(counted.items()))
    counted["all"] = [caught for row in counted.values() for caught in row]
    return {
        room: {"caught": sum(row), "tried": len(row), "share": round(sum(row) / len(row), 3)}
        for room, row in counted.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--module", help="only mutants of modules whose path holds this; nothing is written")
    given = parser.parse_args()
    trials = {module: row for module, row in all_trials(ROOT).items() if not given.module or given.module in module}
    chosen = sample(trials, given.count, given.seed)
    print(f"{len(chosen)} of {sum(map(len, trials.values())):,} mutants, seed {given.seed}", flush=True)
    found = figures(try_all(chosen, given.jobs))
    for room, row in found.items():
        print(f"{room:10} {row['caught']:4} of {row['tried']:4} caught, {row['share']:.0%}")
    if not given.module:
        kept = json.loads(RESULTS.read_text())
        kept["mutants"] = {"seed": given.seed, **found}
        RESULTS.write_text(json.dumps(kept, indent=2) + "\n")


if __name__ == "__main__":
    main()
