"""Durable Objects by the official provider's script resource, in a Pulumi program of one's own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi
from pulumi import automation as auto

from inferstack import local
from inferstack.toolchain import read_toolchain
from tests.conftest import ROOT, Api, pulumi_environment

CODE = """import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  add() { const n = (this.ctx.storage.kv.get("n") ?? 0) + 1; this.ctx.storage.kv.put("n", n); return n; }
}
export default { fetch: async (request, env) => new Response(String(await env.COUNTERS.getByName("a").add())) };
"""
SCRIPT, SUBDOMAIN = ("cloudflare:index/" + kind for kind in (
    "workersScript:WorkersScript", "workersScriptSubdomain:WorkersScriptSubdomain"
))  # fmt: skip


def program(code: str, class_name: str, migrations: dict[str, Any]) -> Callable[[], None]:
    def declare() -> None:
        binding = {"name": "COUNTERS", "type": "durable_object_namespace", "className": class_name}
        inputs = {"accountId": local.ACCOUNT_ID, "scriptName": "scripted", "mainModule": "index.js", "content": code}
        inputs |= {"compatibilityDate": "2026-06-01", "bindings": [binding], "migrations": migrations}
        options = pulumi.ResourceOptions(version="6.23.1")
        script = pulumi.CustomResource(SCRIPT, "script", inputs, options)
        address = {"accountId": local.ACCOUNT_ID, "scriptName": "scripted", "enabled": True, "previewsEnabled": False}
        after = pulumi.ResourceOptions(version="6.23.1", depends_on=[script])
        pulumi.CustomResource(SUBDOMAIN, "subdomain", address, after)

    return declare


def test_a_script_resource_makes_and_renames_a_class(cloudflare: Api, tmp_path: Path) -> None:
    token = local.token_of(cloudflare.folder)
    environment = pulumi_environment(tmp_path, cloudflare.running.base_url, token, local.ACCOUNT_ID)
    command = auto.PulumiCommand(root=str(read_toolchain(ROOT).pulumi.parent.parent))
    options = auto.LocalWorkspaceOptions(env_vars=environment, pulumi_command=command, work_dir=str(tmp_path))
    first = program(CODE, "Counter", {"newTag": "v1", "newSqliteClasses": ["Counter"]})
    stack = auto.create_stack("dev", project_name="own", program=first, opts=options)
    stack.up()
    assert cloudflare.worker("scripted", "GET", "/").text == "1"
    moved = {"oldTag": "v1", "newTag": "v2", "renamedClasses": [{"from": "Counter", "to": "Tally"}]}
    stack.workspace.program = program(CODE.replace("Counter", "Tally"), "Tally", moved)
    stack.up()
    assert cloudflare.worker("scripted", "GET", "/").text == "2"
    stack.destroy()
    assert cloudflare.client.get("/workers/durable_objects/namespaces").json()["result"] == []
