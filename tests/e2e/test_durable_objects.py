"""Durable Objects in a stack: made, deployed again and again, renamed, bound by another Worker, deleted when it is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from tests.e2e.conftest import Project, failures, load, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
protect: true
workers:
  counts:
    source: counts.js
    compatibility_date: "2026-06-01"
    assets: { directory: site }
    objects:
      COUNTERS: { class_name: Counter }
  reads:
    source: reads.js
    compatibility_date: "2026-06-01"
    objects:
      COUNTERS: { worker: counts, class_name: Counter }
"""
CODE = """import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject {
  async add(by) {
    const n = ((await this.ctx.storage.get("n")) ?? 0) + by;
    await this.ctx.storage.put("n", n);
    return n;
  }
}
export default {
  fetch: async (request, env) => new Response("first " + (await env.COUNTERS.getByName("a").add(1))),
};
"""
READS = """export default {
  fetch: async (request, env) => new Response(String(await env.COUNTERS.getByName("a").add(0))),
};
"""


@pytest.fixture
def counting(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "counts.js").write_text(CODE)
    (project.root / "site").mkdir()
    (project.root / "site" / "page.html").write_text("<h1>a page</h1>")
    (project.root / "reads.js").write_text(READS)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def get(project: Project, name: str, path: str = "/") -> str:
    got = project.worker("GET", path, headers={"host": f"{name}-dev.local.localhost"})
    assert got.status_code == 200, got.text
    return got.text


def classes(project: Project) -> list[str]:
    return [each["class"] for each in project.api("GET", "/workers/durable_objects/namespaces")]


def test_a_class_lives_through_deploys_a_rename_and_ends_only_when_it_is_said(counting: Project) -> None:
    counting.run("up", "dev")
    assert [get(counting, "counts"), get(counting, "counts"), get(counting, "reads")] == ["first 1", "first 2", "2"]
    assert get(counting, "counts", "/page") == "<h1>a page</h1>"
    assert set(counting.operations(counting.run("up", "dev"))) == {"unchanged"}
    counting.run("refresh", "dev")
    assert set(counting.operations(counting.run("up", "dev"))) == {"unchanged"}
    counting.edit("counts.js", '"first "', '"again "')
    counting.run("up", "dev")
    assert get(counting, "counts") == "again 3"

    counting.edit("counts.js", "class Counter", "class Tally")
    counting.edit("stacks/dev.yaml", "{ class_name: Counter }", "{ class_name: Tally, renamed_from: Counter }")
    counting.edit("stacks/dev.yaml", "class_name: Counter }", "class_name: Tally }")
    counting.run("up", "dev")
    assert [get(counting, "counts"), get(counting, "reads"), classes(counting)] == ["again 4", "4", ["Tally"]]
    assert set(counting.operations(counting.run("up", "dev"))) == {"unchanged"}


def test_deleting_a_class_is_shown_as_lost_data_and_refused_until_it_is_named(counting: Project) -> None:
    counting.run("up", "dev")
    get(counting, "counts")
    counting.edit(
        "stacks/dev.yaml", "COUNTERS: { class_name: Counter }", "COUNTERS: { class_name: Counter, deleted: true }"
    )
    counting.edit("stacks/dev.yaml", "    objects:\n      COUNTERS: { worker: counts, class_name: Counter }\n", "")
    (counting.root / "reads.js").write_text('export default { fetch: () => new Response("none") };\n')
    (counting.root / "counts.js").write_text('export default { fetch: () => new Response("none") };\n')
    shown = counting.run("preview", "dev", code=1)
    assert "Data: the Durable Objects of `Counter` (`counts-objects`) would be deleted" in shown
    assert "--allow-data-loss counts-objects" in counting.run("up", "dev", code=1)
    assert classes(counting) == ["Counter"]
    counting.run("up", "dev", "--allow-data-loss", "counts-objects")
    assert [get(counting, "counts"), classes(counting)] == ["none", []]
    counting.edit("stacks/dev.yaml", "    objects:\n      COUNTERS: { class_name: Counter, deleted: true }\n", "")
    assert "Data:" not in counting.run("preview", "dev")
    counting.run("up", "dev")


def test_deploys_of_a_stack_with_objects_lose_no_request_and_no_increment(counting: Project) -> None:
    counting.run("up", "dev")
    with load(counting, "counts-dev") as answers:
        for word in ("second", "third"):
            text = (counting.root / "counts.js").read_text()
            (counting.root / "counts.js").write_text(text.replace(text.split('new Response("')[1].split()[0], word))
            counting.run("up", "dev")
    assert failures(answers) == []
    numbers = sorted(int(answer.split()[1]) for answer in answers)
    assert numbers == list(range(1, len(numbers) + 1))
    assert {answer.split()[0] for answer in answers} == {"first", "second", "third"}


def test_a_rollout_puts_a_version_with_a_new_class_live_at_once(counting: Project) -> None:
    rollout = "    rollout: { steps: [50, 100], hold: 1s, checks: [{ request: GET / }] }\n"
    counting.edit("stacks/dev.yaml", "    assets: { directory: site }\n", rollout)
    counting.run("up", "dev")
    counting.edit("counts.js", "export default", "export class Other extends Counter {}\nexport default")
    counting.edit("stacks/dev.yaml", "Counter }\n  reads", "Counter }\n      OTHERS: { class_name: Other }\n  reads")
    assert "it migrates Durable Objects" in counting.run("up", "dev")
    assert sorted(classes(counting)) == ["Counter", "Other"]
    counting.edit("counts.js", '"first "', '"second "')
    assert "50 % held" in counting.run("up", "dev")
    assert get(counting, "counts").startswith("second ")


def test_types_and_check_know_the_classes(counting: Project) -> None:
    counting.run("types", "dev", "--out", "types")
    text = (counting.root / "types" / "counts" / "worker-configuration.d.ts").read_text()
    assert 'COUNTERS: DurableObjectNamespace<import("../../counts").Counter>;' in text
    other = (counting.root / "types" / "reads" / "worker-configuration.d.ts").read_text()
    assert "COUNTERS: DurableObjectNamespace; // Counter of counts-dev" in other
    counting.edit("counts.js", "export class Counter", "class Counter")
    assert "error[IS110]: `counts.js` does not export the class `Counter`" in counting.run("check", "dev", code=2)
