"""`pulumi import` takes over what exists, by both providers, with the inputs that a program would give."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again


def test_existing_resources_are_taken_over(project: Project) -> None:
    project.run("up", "dev")
    state = json.loads(project.pulumi("stack", "export", "-s", "dev"))
    resources = {
        r["urn"].split("::")[-2].split("$")[-1]: r for r in state["deployment"]["resources"] if r.get("custom")
    }
    account = "10ca110ca110ca110ca110ca110ca110"
    wanted = {
        "cloudflare:index/d1Database:D1Database": f"{account}/{{id}}",
        "cloudflare:index/queue:Queue": f"{account}/{{id}}",
        "inferstack:index:VectorizeIndex": "{id}",
    }
    for token, form in wanted.items():
        resource = resources[token]
        name = "taken-" + token.split(":")[-1].lower()
        identifier = form.format(id=resource["id"].split("/")[-1])
        project.pulumi(
            "import", token, name, identifier, "-s", "dev", "--yes", "--protect=false", "--generate-code=false"
        )
        after = json.loads(project.pulumi("stack", "export", "-s", "dev"))["deployment"]["resources"]
        [taken] = [r for r in after if r["urn"].endswith(f"::{name}")]
        assert taken["id"] == resource["id"]
        given = {key: value for key, value in resource["inputs"].items() if not key.startswith("__")}
        assert holds(taken["inputs"], given), taken["inputs"]


def holds(found: Any, given: Any) -> bool:
    """Whether all that was given is found; the API may know more."""
    if isinstance(given, dict):
        return all(holds(found.get(key), value) for key, value in given.items())
    return bool(found == given)
