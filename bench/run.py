"""`make bench`: no-change runs of the dev stack against a hand-written program, start-up against `import pulumi`.

Ratios of medians from one run on one machine, side by side, the two sides taking turns: `bench/results.json` and a table.
Both programs have the same resources (the hand-written one gets its inputs from the state of the first), the same
engine and the same plugins.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import checks, dev, installed, production, workers  # noqa: E402
from inferstack import local  # noqa: E402
from tests.conftest import pulumi_environment  # noqa: E402
from tests.e2e.conftest import make_project  # noqa: E402

ROUNDS = 9  # of five, one slow run moved a ratio by 0.03
SECRET = "4dabf18193072939515e22adb298388d"


def run(command: list[str], cwd: Path, environment: dict[str, str]) -> str:
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    return done.stdout


def plain(value: object) -> object:
    if isinstance(value, dict):
        if SECRET in value:
            return plain(json.loads(value["plaintext"]))
        return {k: plain(v) for k, v in value.items()}
    return [plain(v) for v in value] if isinstance(value, list) else value


def write_hand_written(folder: Path, state: str) -> None:
    """A project with the same resources, as `pulumi_cloudflare` classes."""
    folder.mkdir()
    for name in ("bin", ".venv"):
        (folder / name).symlink_to(ROOT / name)
    shutil.copyfile(ROOT / "Pulumi.yaml", folder / "Pulumi.yaml")
    shutil.copyfile(ROOT / "bench" / "hand_written.py", folder / "__main__.py")
    resources = json.loads(state)["deployment"]["resources"]
    kept = [r for r in resources if r.get("custom") and not r["type"].startswith("pulumi:")]
    listed = [{"type": r["type"], "name": r["urn"].split("::")[-1], "inputs": plain(r["inputs"])} for r in kept]
    (folder / "resources.json").write_text(json.dumps(listed))


def ratio(ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS) -> dict[str, float]:
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for side, call in enumerate((ours, theirs)):
            started = time.perf_counter()
            call()
            times[side].append(time.perf_counter() - started)
    a, b = statistics.median(times[0]), statistics.median(times[1])
    return {"ours_s": round(a, 3), "theirs_s": round(b, 3), "ratio": round(a / b, 3)}


def start_up(project: Path, environment: dict[str, str]) -> dict[str, float]:
    """From the interpreter's start to the registration of the first resource, against `import pulumi`."""
    leave = "import os; os._exit(0)"  # the way to the first resource, not the end of the interpreter
    first = (
        "import pulumi, pathlib, sys\n"
        "from inferstack.config import load_stack\n"
        "from inferstack.resources import declare_stack\n"
        "load_stack('dev', pathlib.Path.cwd())\n" + leave
    )
    python = str(ROOT / ".venv" / "bin" / "python")
    return ratio(
        lambda: run([python, "-c", first], project, environment),
        lambda: run([python, "-c", "import pulumi;" + leave], project, environment),
        rounds=4 * ROUNDS,
    )


def check_large(folder: Path) -> dict[str, float]:
    """In one process, since a new one would mostly measure imports."""
    checks.write_large_stack(folder, ROOT / "templates")
    return ratio(lambda: checks.ours(folder), lambda: checks.theirs(folder), rounds=4 * ROUNDS)


def show_help(environment: dict[str, str]) -> dict[str, float]:
    python = str(ROOT / ".venv" / "bin" / "python")
    command = str(ROOT / ".venv" / "bin" / "inferstack")
    return ratio(
        lambda: run([command, "--help"], ROOT, environment),
        lambda: run([python, "-c", "import argparse"], ROOT, environment),
        rounds=4 * ROUNDS,
    )


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        megabytes = installed.measure(folder / "installed", ROOT)
        (folder / "ours").mkdir()
        project = make_project(folder / "ours")
        try:
            project.run("up", "dev")
            ours = {**os.environ, **project.environment()}
            state = run(["pulumi", "stack", "export", "--show-secrets", "-s", "dev"], project.root, ours)
            write_hand_written(folder / "theirs", state)
            (folder / "state").mkdir()
            token = local.token_of(project.root / ".inferstack" / "local")
            own = pulumi_environment(folder / "state", project.running.base_url, token, local.ACCOUNT_ID)
            theirs = {**ours, **{k: v for k, v in own.items() if k.startswith("PULUMI_")}}
            theirs.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
            adopt(folder / "theirs", theirs, state)
            results = {
                "preview without change": measure("preview", project.root, folder / "theirs", ours, theirs),
                "up without change": measure("up", project.root, folder / "theirs", ours, theirs),
                "start-up against import pulumi": start_up(project.root, ours),
                "check of 200 Workers against PyYAML and pydantic": check_large(folder / "large"),
                "--help against import argparse": show_help(ours),
            }
        finally:
            local.stop(project.root / ".inferstack" / "local")
        results |= production.measure(folder / "production", run, ratio)
        results |= dev.measure(folder / "dev")
    rendered = workers.measure()
    file = ROOT / "bench" / "results.json"
    kept = json.loads(file.read_text())  # of `make mutants`, too
    everything = {**kept, **results, "installed, MB": megabytes, "workers": rendered}
    file.write_text(json.dumps(everything, indent=2) + "\n")
    print(f"{'':62}{'ours':>9}{'theirs':>9}{'ratio':>8}")
    for what, found in results.items():
        print(f"{what:62}{found['ours_s']:>8.2f}s{found['theirs_s']:>8.2f}s{found['ratio']:>8.2f}")
    print(f"\ninstalled: {megabytes['deploy']} MB for a deploy, {megabytes['local']} MB with the local Cloudflare")
    print(f"\n{workers.table(rendered)}")


def adopt(folder: Path, environment: dict[str, str], state: str) -> None:
    """Give the hand-written program a state: the same objects, without this project's components."""
    run(["pulumi", "stack", "init", "dev"], folder, environment)
    exported = json.loads(state)
    deployment = exported["deployment"]
    root = "urn:pulumi:dev::inferstack::pulumi:pulumi:Stack::inferstack-dev"
    kept = []
    renamed = {}
    for resource in deployment["resources"]:
        if resource.get("custom") or resource["urn"] == root:
            bare = resource["urn"].split("::")
            bare[2] = bare[2].split("$")[-1]
            renamed[resource["urn"]] = "::".join(bare)
            resource["urn"] = renamed[resource["urn"]]
            if resource["urn"] != root and "parent" in resource:
                resource["parent"] = root
            for field in ("dependencies", "propertyDependencies", "deletedWith"):
                resource.pop(field, None)
            kept.append(resource)
    deployment["resources"] = kept
    empty = json.loads(run(["pulumi", "stack", "export", "-s", "dev"], folder, environment))
    deployment["secrets_providers"] = empty["deployment"].get("secrets_providers")
    file = folder / "state.json"
    file.write_text(json.dumps(exported))
    run(["pulumi", "stack", "import", "--file", str(file), "-s", "dev"], folder, environment)
    run(["pulumi", "up", "--yes", "--skip-preview", "-s", "dev"], folder, environment)


def measure(
    command: str, ours: Path, theirs: Path, our_environment: dict[str, str], their_environment: dict[str, str]
) -> dict[str, float]:
    arguments = ["pulumi", command, "-s", "dev", "--expect-no-changes"]
    arguments += ["--yes", "--skip-preview"] if command == "up" else []
    return ratio(lambda: run(arguments, ours, our_environment), lambda: run(arguments, theirs, their_environment))


if __name__ == "__main__":
    main()
