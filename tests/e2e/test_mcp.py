"""`inferstack mcp`, asked by the official SDK's client as a coding agent would."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from mcp import Client, StdioServerParameters, stdio_client

from inferstack import local
from inferstack.author.new_project import create

INFERSTACK = str(Path(sys.executable).parent / "inferstack")
LOCAL = "local: { port: 0, api_port: 0 }\n"
PROD = "environment: prod\nextends: base.yaml\ntarget: cloudflare\naccount: '" + "0" * 32 + "'\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("agents") / "shop"
    create(folder, "chat", folder)
    dev = folder / "stacks" / "dev.yaml"
    dev.write_text(dev.read_text() + LOCAL)
    yield folder
    local.stop(folder / ".inferstack" / "local")


def asked(root: Path, work: Callable[[Client], Awaitable[Any]], *options: str) -> Any:
    """What `work` makes of a client of a new server."""

    async def run() -> Any:
        state = {"PULUMI_CONFIG_PASSPHRASE": "", "PULUMI_BACKEND_URL": (root.parent / "state").as_uri()}
        environment = {**os.environ, **(state if "all" in options else {})}
        server = StdioServerParameters(command=INFERSTACK, args=["mcp", *options], cwd=root, env=environment)
        async with Client(stdio_client(server)) as client:
            return await work(client)

    return asyncio.run(run())


async def told(client: Client, tool: str, **arguments: Any) -> Any:
    result = await client.call_tool(tool, arguments)
    assert not result.is_error, result.content
    return result.structured_content


async def refused(client: Client, tool: str, **arguments: Any) -> str:
    result = await client.call_tool(tool, arguments)
    assert result.is_error, result.structured_content
    return str(result.content[0].text)


def test_what_may_change_says_so(shop: Path) -> None:
    async def work(client: Client) -> None:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        changing = {name for name, tool in tools.items() if not tool.annotations.read_only_hint}
        assert changing == {"apply", "local_up"}
        assert all(tool.description for tool in tools.values())
        assert not {"env", "down", "local_reset"} & set(tools)  # tokens, destruction
        schema = await client.read_resource("inferstack://schema")
        assert json.loads(schema.contents[0].text)["properties"]["workers"]

    asked(shop, work)


def test_a_mistake_is_found_explained_and_mended(shop: Path) -> None:
    dev = shop / "stacks" / "dev.yaml"
    right = dev.read_text()

    async def work(client: Client) -> None:
        dev.write_text(right + "targat: local\n")
        [finding] = (await told(client, "check", stack="dev"))["findings"]
        line = right.count("\n") + 1
        assert (Path(finding["file"]).name, finding["line"]) == ("dev.yaml", line)
        assert "target" in finding["fix"]
        assert (await told(client, "explain", code=finding["code"]))["why"]
        assert "targat" in await refused(client, "plan", stack="dev")
        dev.write_text(right)
        assert (await told(client, "check"))["findings"] == []

    try:
        asked(shop, work)
    finally:
        dev.write_text(right)


def test_a_plan_is_shown_and_carried_out_once(shop: Path) -> None:
    steps: list[str] = []

    async def progress(_: float, __: float | None, message: str | None) -> None:
        steps.append(message or "")

    async def work(client: Client) -> None:
        plan = await told(client, "plan", stack="dev")
        assert plan["counts"]["create"] > 3
        result = await client.call_tool("apply", {"plan_id": plan["plan_id"]}, progress_callback=progress)
        assert not result.is_error, result.content
        assert result.structured_content["changes"]["create"] == plan["counts"]["create"] + 1  # the stack itself
        assert "there is no plan" in await refused(client, "apply", plan_id=plan["plan_id"])
        assert (await told(client, "plan", stack="dev"))["counts"].get("create", 0) == 0
        assert (await told(client, "status", stack="dev"))["live"][0]["percent"] == 100
        assert (await told(client, "drift", stack="dev"))["drift"] == []
        assert (await told(client, "logs", stack="dev", limit=5))["left_off"] >= 0
        assert (await told(client, "cost", stack="dev"))["usd"] > 0
        assert (await told(client, "gateway_test", stack="dev", model="chat"))["answered_by"] == ["chat"]

    asked(shop, work)
    assert any("chat" in step for step in steps), steps


def test_a_plan_is_refused_when_the_world_has_moved(shop: Path) -> None:
    base = shop / "stacks" / "base.yaml"
    before = base.read_text()

    async def work(client: Client) -> None:
        base.write_text(before.replace("    secrets:", "    vars: { A: b }\n    secrets:"))
        plan = await told(client, "plan", stack="dev")
        base.write_text(before.replace("    secrets:", "    vars: { A: c }\n    secrets:"))
        await told(client, "local_up", stack="dev")
        assert "the world has moved" in await refused(client, "apply", plan_id=plan["plan_id"])

    try:
        asked(shop, work)
    finally:
        base.write_text(before)


def test_a_plan_is_refused_when_the_files_have_changed(shop: Path) -> None:
    """Before Pulumi runs, which would show both values of each change, and a Worker's secrets beside them."""
    base, prod = shop / "stacks" / "base.yaml", shop / "stacks" / "prod.yaml"
    before = base.read_text()

    async def work(client: Client) -> None:
        await told(client, "local_up", stack="dev")
        base.write_text(before.replace("    secrets:", "    vars: { A: d }\n    secrets:"))
        plan = await told(client, "plan", stack="dev")
        base.write_text(before.replace("    secrets:", "    vars: { A: e }\n    secrets:"))
        said = await refused(client, "apply", plan_id=plan["plan_id"])
        assert "the stack's files have changed" in said and "violates plan" not in said
        another = plan["plan_id"].replace("dev.", "prod.")
        plans = shop / ".inferstack" / "plans"
        (plans / f"{another}.json").write_bytes((plans / f"{plan['plan_id']}.json").read_bytes())
        prod.write_text((shop / "stacks" / "dev.yaml").read_text())
        assert "is a plan for `dev`, not for `prod`" in await refused(client, "apply", plan_id=another)

    try:
        asked(shop, work)
    finally:
        base.write_text(before)
        prod.unlink(missing_ok=True)
        (shop / "Pulumi.prod.yaml").unlink(missing_ok=True)  # its passphrase is the local one


def test_cloudflare_is_left_alone_unless_the_person_says_otherwise(shop: Path) -> None:
    prod = shop / "stacks" / "prod.yaml"
    plan_id = "prod.0123456789ab"
    plan = shop / ".inferstack" / "plans" / f"{plan_id}.json"

    async def work(client: Client) -> None:
        text = await refused(client, "apply", plan_id=plan_id)
        assert "does not change `prod`" in text
        assert f"inferstack up prod --plan .inferstack/plans/{plan_id}.json" in text
        assert "is on Cloudflare" in await refused(client, "local_up", stack="prod")

    async def allowed(client: Client) -> None:
        assert "is no plan of this tool" in await refused(client, "apply", plan_id=plan_id)

    async def nothing(client: Client) -> None:
        assert "changes nothing" in await refused(client, "local_up", stack="dev")

    try:
        prod.write_text(PROD)
        plan.parent.mkdir(parents=True, exist_ok=True)
        plan.write_text("{}")
        (shop.parent / "state").mkdir()
        asked(shop, work)
        asked(shop, allowed, "--apply", "all")
        asked(shop, nothing, "--apply", "none")
    finally:
        prod.unlink()
        plan.unlink()


@pytest.mark.parametrize("plan_id", ["../../etc/passwd", "dev", "dev.0123456789ab", "", "x" * 5000])
def test_a_plan_that_is_none(shop: Path, plan_id: str) -> None:
    async def work(client: Client) -> str:
        return await refused(client, "apply", plan_id=plan_id)

    assert "fix: `plan` makes one" in asked(shop, work)


@pytest.mark.parametrize(
    ("tool", "arguments", "word"),
    [
        ("check", {"stack": "nope"}, "there is no stack `nope`"),
        ("check", {"stack": "--help"}, "stack"),
        ("gateway_test", {"stack": "dev", "model": "--help"}, "has no model `--help`"),
        ("explain", {"code": "IS9"}, "there is no finding IS9"),
        ("logs", {"stack": "dev", "since": "yesterday"}, "since"),
        ("logs", {"stack": "dev", "limit": 0}, "limit"),
        ("models", {"task": "cooking"}, "no model has the task"),
        ("cost", {}, "stack"),
    ],
)
def test_bad_arguments_are_told(shop: Path, tool: str, arguments: dict[str, Any], word: str) -> None:
    async def work(client: Client) -> str:
        return await refused(client, tool, **arguments)

    assert word in asked(shop, work)


ODD = {"a NUL": "x\0", "too much": "x" * 300_000}


@pytest.mark.parametrize("word", ODD.values(), ids=ODD)
def test_what_no_command_line_holds_is_refused_with_a_reason(shop: Path, word: str) -> None:
    async def work(client: Client) -> None:
        for tool, arguments in [
            ("check", {"stack": word}),
            ("plan", {"stack": word}),
            ("explain", {"code": word}),
            ("models", {"task": word}),
            ("logs", {"stack": "dev", "grep": word}),
            ("gateway_test", {"stack": "dev", "model": "chat", "prompt": word}),
            ("apply", {"plan_id": word}),
        ]:
            assert "fix: " in await refused(client, tool, **arguments)
        assert (await told(client, "stacks"))["stacks"]  # and the server is there

    asked(shop, work)


def test_a_call_that_is_cancelled_leaves_no_command_behind(shop: Path) -> None:
    async def work(client: Client) -> None:
        started = asyncio.Event()

        async def progress(*_: object) -> None:
            started.set()

        call = asyncio.create_task(client.call_tool("local_up", {"stack": "dev"}, progress_callback=progress))
        await asyncio.wait_for(started.wait(), 60)
        assert running(shop)
        call.cancel()
        for _ in range(300):
            if not running(shop):
                break
            await asyncio.sleep(0.1)
        assert not running(shop)
        await told(client, "local_up", stack="dev")  # no lock is left

    asked(shop, work)


@pytest.mark.parametrize("held", ["a-token-of-somebody", "87654321", "tok"], ids=["text", "number", "short"])
def test_an_agent_reads_the_names_of_variables_and_not_what_they_hold(
    shop: Path, monkeypatch: pytest.MonkeyPatch, held: str
) -> None:
    monkeypatch.setenv("HELD", held)
    file = shop / "stacks" / "held.yaml"
    file.write_text(
        "environment: held\ntarget: local\nparameters:\n  token: ${HELD}\ntags: ['x', '${HELD}']\n"
        + "buckets:\n  b-${each.key}: { for_each: [a] }\nworkers:\n  w:\n    source: w.js\n"
        + "    compatibility_date: '2026-09-28'\n    vars:\n      A: ${param.token}\n      B: ${HELD}\n"
    )
    (shop / "w.js").write_text("export default { fetch: () => new Response('hi') }\n")

    async def work(client: Client) -> None:
        shown = await told(client, "config_show", stack="held")
        values = {each["path"]: each["value"] for each in shown["values"]}
        assert {values[path] for path in ("tags[1]", "workers.w.vars.A", "workers.w.vars.B")} == {"${HELD}"}
        assert values["tags[0]"] == "x"
        assert held not in json.dumps(shown)

    try:
        asked(shop, work)
    finally:
        file.unlink()


def running(root: Path) -> list[str]:
    """The commands that run in the project; its local Cloudflare is none."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().decode(errors="replace").split("\0")
            if "inferstack.cli" in words and (entry / "cwd").readlink() == root:
                found.append(" ".join(words))
        except OSError:
            continue  # it has ended meanwhile
    return found
