"""The stand-in does what the official plugin 6.17.0 was recorded doing: same requests, same state, same program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pulumi
import pytest
from pulumi import automation as auto

from inferstack.toolchain import read_toolchain
from tests.conftest import ROOT, pulumi_environment
from tests.provider.recording import Recorder

TRACES = json.loads((ROOT / "tests" / "data" / "provider-traces.json").read_text())
ACCOUNT, ZONE = "a" * 32, "b" * 32
SECRET = "4dabf18193072939515e22adb298388d"
GROUPS = {
    "d1": ("kv", "r2", "d1", "dlq", "queue", "consumer"),
    "worker": ("worker", "version", "deployment"),
    "script": ("domain", "script", "subdomain", "cron", "route"),
    "gateway": ("gateway", "routing"),
}


def resources(group: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for token, named in TRACES["states"].items():
        for name, states in named.items():
            if name in GROUPS[group]:
                yield token, name, states


def value_of(recorded: Any, recorder: Recorder) -> Any:
    """A recorded input as the program gave it."""
    if isinstance(recorded, dict):
        if SECRET in recorded:
            return pulumi.Output.secret(value_of(json.loads(recorded["plaintext"]), recorder))
        return {key: value_of(item, recorder) for key, item in recorded.items()}
    if isinstance(recorded, list):
        return [value_of(item, recorder) for item in recorded]
    return recorder.restore(recorded) if isinstance(recorded, str) else recorded


def program(group: str, version: str, recorder: Recorder) -> Callable[[], None]:
    def declare() -> None:
        for token, name, states in resources(group):
            inputs = value_of(states[version]["inputs"], recorder)
            for element in inputs.get("elements", []):
                element.get("properties", {}).pop("provider", None)  # no such input: the plugin ignored it
            pulumi.CustomResource(token, name, inputs, pulumi.ResourceOptions(version="6.23.1"))

    return declare


def ordered(requests: list[dict[str, Any]]) -> list[str]:
    """Without the order of parallel requests, and with a multipart's metadata as JSON."""
    shown = []
    for request in requests:
        fields = {k: v for k, v in request.items() if k != "answered"}
        shown.append(json.dumps(fields, sort_keys=True))
    return sorted(shown)


@pytest.mark.parametrize("group", GROUPS)
def test_requests_and_state_equal_the_recording(group: str, tmp_path: Path) -> None:
    recorder = Recorder(ACCOUNT, ZONE)
    environment = pulumi_environment(tmp_path, recorder.base_url, "token", ACCOUNT)
    command = auto.PulumiCommand(root=str(read_toolchain(ROOT).pulumi.parent.parent))
    options = auto.LocalWorkspaceOptions(env_vars=environment, pulumi_command=command, work_dir=str(tmp_path))
    stack = auto.create_stack("trace", project_name=f"trace-{group}", program=lambda: None, opts=options)

    def phase(name: str, run: Callable[[], object]) -> None:
        recorded = TRACES["phases"][f"{group}/{name}"]
        recorder.answers, recorder.requests = list(recorded), []
        run()
        assert ordered(recorder.requests) == ordered(recorded), name

    def states(version: str) -> None:
        exported = json.loads(recorder.hide(json.dumps(export(stack, environment))))
        by_name = {r["urn"].split("::")[-1]: r for r in exported["deployment"]["resources"] if r.get("custom")}
        for _, name, expected in resources(group):
            found, wanted = by_name[name], expected[version]
            assert found["id"] == wanted["id"], name
            assert found["outputs"] == wanted["outputs"], name
            assert without_ignored(found["inputs"]) == without_ignored(wanted["inputs"]), name

    try:
        stack.workspace.program = program(group, "v1", recorder)
        phase("create", stack.up)
        states("v1")
        phase("noop", lambda: stack.preview(expect_no_changes=True))
        phase("refresh", stack.refresh)
        stack.workspace.program = program(group, "v2", recorder)
        phase("update", stack.up)
        states("v2")
        phase("destroy", stack.destroy)
    finally:
        recorder.close()


def export(stack: auto.Stack, environment: dict[str, str]) -> Any:
    result = stack.workspace.pulumi_command.run(
        ["stack", "export", "--show-secrets", "--stack", "trace"], stack.workspace.work_dir, environment
    )
    return json.loads(result.stdout)


def without_ignored(inputs: dict[str, Any]) -> dict[str, Any]:
    """The recorded program gave routes a `provider`, which is no input and which the plugin dropped."""
    text = json.dumps(inputs).replace('"provider": "workers-ai", ', "")
    return json.loads(text)  # type: ignore[no-any-return]
