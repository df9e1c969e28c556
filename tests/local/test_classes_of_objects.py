"""Classes of Durable Objects: renamed, transferred, deleted; what is refused, before anything changes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Api
from tests.local.counters import CODE, NEW, OWN, call, deployed, error, namespaces, put, socket_of, version_of
from tests.local.test_workers_run import release, wait_for

RENAMED = CODE.replace("class Counter", "class Tally")
BOUND_TO = """
export default {
  async fetch(request, env) {
    const [, method, object, argument] = new URL(request.url).pathname.split("/");
    const stub = env.COUNTERS.getByName(object);
    return Response.json({ result: await stub[method](argument) });
  },
};
"""


def test_a_renamed_class_keeps_its_objects_and_old_bindings_lead_to_them(cloudflare: Api) -> None:
    deployed(cloudflare, "renames", migrations=NEW)
    deployed(cloudflare, "reader", BOUND_TO, bindings=[{**OWN, "script_name": "renames"}])
    assert [call(cloudflare, "renames", "add") for _ in range(2)] == [1, 2]
    before = namespaces(cloudflare, "renames")["Counter"]["id"]
    move = {"old_tag": "v1", "new_tag": "v2", "renamed_classes": [{"from": "Counter", "to": "Tally"}]}
    deployed(cloudflare, "renames", RENAMED, bindings=[{**OWN, "class_name": "Tally"}], migrations=move)
    assert call(cloudflare, "renames", "add") == 3
    assert call(cloudflare, "reader", "add") == 4
    assert {name: each["id"] for name, each in namespaces(cloudflare, "renames").items()} == {"Tally": before}


def test_two_workers_share_one_namespace_through_deploys_of_either(cloudflare: Api) -> None:
    deployed(cloudflare, "owner", migrations=NEW)
    for number in range(3):
        deployed(cloudflare, "user", f"{BOUND_TO}// {number}", bindings=[{**OWN, "script_name": "owner"}])
        deployed(cloudflare, "owner", CODE.replace("VERSION", str(number)))
        assert call(cloudflare, "owner", "add", "shared") == 2 * number + 1
        assert call(cloudflare, "user", "add", "shared") == 2 * number + 2


def test_a_transferred_class_keeps_its_objects(cloudflare: Api) -> None:
    deployed(cloudflare, "giver", migrations=NEW)
    assert call(cloudflare, "giver", "add") == 1
    move = {"new_tag": "v1", "transferred_classes": [{"from": "Counter", "from_script": "giver", "to": "Counter"}]}
    deployed(cloudflare, "taker", migrations=move)
    assert call(cloudflare, "taker", "add") == 2
    assert call(cloudflare, "giver", "add") == 3, "its binding leads to the new place"
    assert list(namespaces(cloudflare, "taker")) == ["Counter"]
    assert namespaces(cloudflare, "giver") == {}


def test_a_deleted_class_loses_its_objects(cloudflare: Api) -> None:
    deployed(cloudflare, "loses", migrations=NEW)
    assert call(cloudflare, "loses", "add") == 1
    files = cloudflare.folder / "storage" / "durable_objects" / namespaces(cloudflare, "loses")["Counter"]["id"]
    assert files.is_dir()
    plain = "export default { fetch: () => new Response('plain') }"
    gone = {"old_tag": "v1", "new_tag": "v2", "deleted_classes": ["Counter"]}
    deployed(cloudflare, "loses", plain, bindings=[], migrations=gone)
    assert namespaces(cloudflare, "loses") == {}
    assert not files.exists()
    back = {"old_tag": "v2", "new_tag": "v3", "new_sqlite_classes": ["Counter"]}
    deployed(cloudflare, "loses", migrations=back)
    assert call(cloudflare, "loses", "add") == 1


def test_exports_say_what_there_is_and_the_rest_follows(cloudflare: Api) -> None:
    live = {"type": "durable-object", "storage": "sqlite"}
    deployed(cloudflare, "declared", exports={"Counter": live})
    deployed(cloudflare, "declared", CODE + "// again\n", exports={"Counter": live})
    assert [call(cloudflare, "declared", "add") for _ in range(2)] == [1, 2]
    renamed = {"type": "durable-object", "state": "renamed", "renamed_to": "Tally"}
    tally = [{**OWN, "class_name": "Tally"}]
    for text in ("", "// again\n"):
        deployed(cloudflare, "declared", RENAMED + text, bindings=tally, exports={"Counter": renamed, "Tally": live})
    assert call(cloudflare, "declared", "add") == 3
    gone = {"Tally": {"type": "durable-object", "state": "deleted"}}
    assert error(put(cloudflare, "declared", RENAMED, bindings=tally, exports=gone))[0] == 10061
    deployed(cloudflare, "declared", "export default { fetch: () => new Response('') }", bindings=[], exports=gone)
    assert namespaces(cloudflare, "declared") == {}
    wrong = {"Counter": {"type": "durable-object", "state": "gone"}}
    assert "`exports.Counter.state` must be one of" in error(put(cloudflare, "declared", exports=wrong))[1]


def test_a_class_that_another_worker_binds_is_not_deleted(cloudflare: Api) -> None:
    deployed(cloudflare, "kept", migrations=NEW)
    deployed(cloudflare, "keeps", BOUND_TO, bindings=[{**OWN, "script_name": "kept"}])
    plain = "export default { fetch: () => new Response('plain') }"
    code, message = error(put(cloudflare, "kept", plain, bindings=[], migrations={"deleted_classes": ["Counter"]}))
    assert code == 10061
    assert "bound by: keeps" in message
    assert call(cloudflare, "keeps", "add") == 1


def test_a_class_of_the_older_kind_has_no_sql(cloudflare: Api) -> None:
    code = """
    import { DurableObject } from "cloudflare:workers";
    export class Counter extends DurableObject {
      async add() {
        const n = ((await this.ctx.storage.get("n")) ?? 0) + 1;
        await this.ctx.storage.put("n", n);
        let sql = "there";
        try { this.ctx.storage.sql.exec("select 1"); } catch (error) { sql = String(error); }
        return [n, sql];
      }
    }
    """
    migrations = {"new_tag": "v1", "new_classes": ["Counter"]}
    deployed(cloudflare, "older", code + BOUND_TO, migrations=migrations)
    call(cloudflare, "older", "add")
    count, sql = call(cloudflare, "older", "add")
    assert count == 2
    assert "SQL" in sql
    assert namespaces(cloudflare, "older")["Counter"]["use_sqlite"] is False


@pytest.mark.parametrize(
    ("code", "metadata", "expected"),
    [
        (CODE.replace("export class", "class"), {}, (10064, "does not export class 'Counter'")),
        (
            CODE,
            {"bindings": [{**OWN, "class_name": "Other"}]},
            (10061, "for class 'Other' because it is not currently"),
        ),
        (CODE, {"bindings": [{**OWN, "script_name": "nowhere"}]}, (10061, "in script 'nowhere' that does not exist")),
        (CODE, {"migrations": {"new_sqlite_classes": ["Counter"]}}, (10074, "already depended on by existing")),
        (CODE, {"migrations": {"new_sqlite_classes": ["Other"]}}, (10070, "class 'Other' that is not exported")),
        (CODE, {"migrations": {"deleted_classes": ["Counter"]}}, (10061, "without also removing the binding")),
        (CODE, {"migrations": {"deleted_classes": ["Other"]}}, (10061, "non-existent class 'Other'")),
        (
            CODE,
            {"migrations": {"old_tag": "v7", "new_tag": "v8", "new_sqlite_classes": []}},
            (10079, "current tag is v1"),
        ),
        (CODE, {"migrations": {"renamed_classes": [{"from": "No", "to": "Yes"}]}}, (10061, "non-existent class 'No'")),
        (CODE, {"migrations": {"renamed_classes": ["No"]}}, (10021, "must be a list of objects with from, to")),
        (CODE, {"migrations": {"new_sqlite_classes": "Counter"}}, (10021, "must be a list of class names")),
        (CODE, {"migrations": ["v1"]}, (10021, 'migrations: the value is not of type "object"')),
        (CODE, {"bindings": [{"name": "COUNTERS", "type": "durable_object_namespace"}]}, (10021, "`class_name`")),
    ],
    ids=lambda value: str(value[0]) if isinstance(value, tuple) else None,
)
def test_what_cannot_run_is_refused_before_the_old_deployment_is_touched(
    cloudflare: Api, code: str, metadata: dict[str, Any], expected: tuple[int, str]
) -> None:
    if not namespaces(cloudflare, "guarded"):
        deployed(cloudflare, "guarded", migrations=NEW)
    with socket_of(cloudflare, "guarded") as connection:
        found = error(put(cloudflare, "guarded", code, **metadata))
        assert found[0] == expected[0], found
        assert expected[1] in found[1]
        connection.send("still")
        assert connection.receive().startswith("still")
    assert call(cloudflare, "guarded", "add") > 0
    assert list(namespaces(cloudflare, "guarded")) == ["Counter"]


def test_a_new_class_without_its_migration_is_refused_and_makes_no_worker(cloudflare: Api) -> None:
    assert error(put(cloudflare, "unmigrated"))[0] == 10061
    assert cloudflare.client.get("/workers/services/unmigrated").status_code == 404


def test_a_worker_whose_objects_others_use_is_deleted_by_force_only(cloudflare: Api) -> None:
    deployed(cloudflare, "used", migrations=NEW)
    deployed(cloudflare, "uses", BOUND_TO, bindings=[{**OWN, "script_name": "used"}])
    code, message = error(cloudflare.client.delete("/workers/scripts/used"))
    assert (code, "uses" in message) == (10064, True)
    assert cloudflare.client.delete("/workers/scripts/used?force=true").is_success
    assert namespaces(cloudflare, "used") == {}
    answer = cloudflare.worker("uses", "GET", "/add/a/b")
    assert answer.status_code == 500
    log = cloudflare.folder / "workers.log"  # the runtime writes there in its own time
    assert wait_for(lambda: "namespace of this binding was deleted" in log.read_text())


def test_the_tag_of_the_last_migration_is_told_as_wrangler_asks_for_it(cloudflare: Api) -> None:
    deployed(cloudflare, "tagged", migrations={"new_tag": "v1", "steps": [{"new_sqlite_classes": ["Counter"]}]})
    found = cloudflare.client.get("/workers/services/tagged").json()["result"]["default_environment"]["script"]
    assert found["migration_tag"] == "v1"


def test_a_version_that_migrates_is_not_uploaded_apart(cloudflare: Api) -> None:
    deployed(cloudflare, "apart", migrations=NEW)
    body = {"main_module": "index.js", "bindings": [OWN], "migrations": {"deleted_classes": ["Counter"]}}
    parts = {
        "metadata": (None, json.dumps(body), "application/json"),
        "index.js": ("index.js", CODE, "application/javascript+module"),
    }
    assert error(cloudflare.client.post("/workers/scripts/apart/versions", files=parts))[0] == 10211  # type: ignore[arg-type]


def test_versions_of_the_newer_api_migrate_when_they_are_deployed(cloudflare: Api) -> None:
    cloudflare.client.post("/workers/workers", json={"name": "newer", "subdomain": {"enabled": True}})
    first = version_of(cloudflare, "newer", CODE, migrations=NEW)
    assert namespaces(cloudflare, "newer") == {}
    release(cloudflare, "newer", {first: 100})
    assert call(cloudflare, "newer", "add") == 1
    second = version_of(cloudflare, "newer", CODE.replace("VERSION", "second"))
    release(cloudflare, "newer", {first: 50, second: 50})
    assert sorted(call(cloudflare, "newer", "add") for _ in range(9)) == list(range(2, 11))
    release(cloudflare, "newer", {first: 100})
    assert call(cloudflare, "newer", "add") == 11, "its migration was applied before"
