"""Several Workers in one project, secrets beside a configuration, where the stacks go, and what can be typed next."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from inferstack.config import load_stack
from inferstack.errors import ConfigError
from inferstack.wrangler.wrangler_import import Imported, import_wrangler, next_commands
from tests.wrangler.conftest import CODE, Import, notes

DATE = {"compatibility_date": "2026-05-01", "main": "index.js"}


def worker(root: Path, folder: str, **config: Any) -> Path:
    (root / folder).mkdir(parents=True)
    (root / folder / "index.js").write_text(CODE)
    (root / folder / "wrangler.json").write_text(json.dumps({"name": folder, **DATE, **config}))
    return root / folder


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    return tmp_path


# Several Workers


def call(service: str) -> list[dict[str, str]]:
    return [{"binding": "OTHER", "service": service}]


def test_workers_that_call_each_other_come_together_in_each_environment(root: Path) -> None:
    shop = worker(root, "shop", services=call("mail"), env={"dev": {"services": call("mail-dev")}})
    mail = worker(root, "mail", env={"dev": {}}, queues={"consumers": [{"queue": "post"}]})
    found = import_wrangler([shop, mail], root)
    assert (list(found.files), found.wrong) == (["stacks/default.yaml", "stacks/dev.yaml"], False)
    for stack in ("default", "dev"):
        spec = load_stack(stack, root)
        assert list(spec.workers) == ["shop", "mail"]
        assert spec.workers["shop"].bindings["OTHER"].service == "mail"


def test_who_reads_a_worker_s_events_comes_along(root: Path) -> None:
    shop = worker(root, "shop", tail_consumers=[{"service": "watch"}, {"service": "gone"}])
    found = import_wrangler([shop, worker(root, "watch")], root)
    assert load_stack("default", root).workers["shop"].tail_consumers == ["watch"]
    [left] = [str(note) for note in found.notes if "`gone`" in str(note)]
    assert "nobody reads this Worker's events" in left


def test_bindings_that_send_mail_keep_their_addresses(root: Path) -> None:
    lists = {"allowed_destination_addresses": ["a@example.com"], "allowed_sender_addresses": ["b@example.com"]}
    one = {"name": "ONE", "destination_address": "c@example.com"}
    import_wrangler([worker(root, "shop", send_email=[{"name": "ANY"}, one, {"name": "SOME", **lists}])], root)
    bindings = load_stack("default", root).workers["shop"].bindings
    assert bindings["ANY"].email is True
    some = bindings["SOME"].model_dump()["email"]
    assert some == {"to": ["a@example.com"], "senders": ["b@example.com"]}
    assert bindings["ONE"].model_dump()["email"] == {"to": ["c@example.com"], "senders": []}


def test_a_later_import_adds_to_the_stacks_and_knows_what_is_there(root: Path) -> None:
    cache = {"kv_namespaces": [{"binding": "CACHE", "id": "aaaa"}]}
    import_wrangler([worker(root, "mail", **cache, r2_buckets=[{"binding": "F", "bucket_name": "files"}])], root)
    before = (root / "stacks" / "default.yaml").read_text()
    others = [{"binding": "STORE", "id": "aaaa"}, {"binding": "CACHE", "id": "bbbb"}]
    index = {"vectorize": [{"binding": "I", "index_name": "docs"}]}
    shop = worker(root, "shop", kv_namespaces=others, services=call("mail"), env={"dev": {}}, **index)
    found = import_wrangler([shop], root)
    assert list(found.files) == ["stacks/default/shop.yaml", "stacks/dev.yaml"]
    assert (root / "stacks" / "default.yaml").read_text() == before
    spec = load_stack("default", root)
    assert (list(spec.workers), list(spec.namespaces)) == (["mail", "shop"], ["cache", "cache-2"])
    bindings = spec.workers["shop"].bindings
    assert [bindings[name].namespace for name in ("STORE", "CACHE")] == ["cache", "cache-2"]
    assert bindings["OTHER"].service == "mail"
    found = import_wrangler([worker(root, "third", **index, kv_namespaces=others)], root)
    assert list(found.files) == ["stacks/default/third.yaml"]
    spec = load_stack("default", root)
    assert (list(spec.namespaces), list(spec.indexes)) == (["cache", "cache-2"], ["docs"])


def test_a_worker_that_is_there_already_is_refused_and_nothing_is_written(root: Path) -> None:
    shop = worker(root, "shop")
    import_wrangler([shop], root)
    with pytest.raises(ConfigError, match="stack `default` has the Worker `shop` already"):
        import_wrangler([shop], root)
    assert [str(file.relative_to(root)) for file in (root / "stacks").rglob("*.yaml")] == ["stacks/default.yaml"]


def test_a_worker_that_is_not_here_is_told(root: Path) -> None:
    found = import_wrangler([worker(root, "shop", services=call("mail"))], root)
    assert "shop/wrangler.json:1:" in found.notes[0]
    assert (
        "the Worker `mail` is not in this stack, and so `env.OTHER` is nothing: import both together" in found.notes[0]
    )


def test_what_a_build_leaves_for_the_deployment_is_what_is_read(root: Path) -> None:
    app = worker(root, "app", name="as-written")
    worker(root, "app/dist/site", name="site", services=call("api"))
    worker(root, "app/dist/api", name="api")
    (app / ".wrangler" / "deploy").mkdir(parents=True)
    deploy = app / ".wrangler" / "deploy" / "config.json"
    built = [{"configPath": f"../../dist/{name}/wrangler.json"} for name in ("site", "api")]
    deploy.write_text(json.dumps({**built[0], "auxiliaryWorkers": [built[1]]}))
    assert not import_wrangler([app], root).wrong
    spec = load_stack("default", root)
    assert {key: found.source for key, found in spec.workers.items()} == {
        "site": "app/dist/site/index.js",
        "api": "app/dist/api/index.js",
    }
    deploy.write_text('{"configPath": "../../dist/gone.json"}')
    with pytest.raises(ConfigError, match=r"names .*app/dist/gone\.json, which is not there"):
        import_wrangler([app], root)
    deploy.write_text("{}")
    with pytest.raises(ConfigError, match="names no `configPath`"):
        import_wrangler([app], root)


# Secrets


@pytest.mark.parametrize(
    ("target", "secrets", "kept"),
    [
        ("local", {"KEY": "file:app/.dev.vars#KEY", "MODE": "file:app/.dev.vars#MODE"}, {}),
        ("cloudflare", {"KEY": "env:KEY"}, {"MODE": "production"}),
    ],
)
def test_secrets_beside_the_configuration_become_references(
    bring: Import, tmp_path: Path, target: str, secrets: dict[str, str], kept: dict[str, str]
) -> None:
    files = {".dev.vars": "KEY=hunter2-hunter2\nMODE=dev\n", ".env": "OTHER=1\n"}
    found = bring({"vars": {"MODE": "production"}}, target=target, files=files)
    spec = load_stack("default", tmp_path).workers["shop"]
    assert (spec.secrets, spec.vars) == (secrets, kept)
    assert "hunter2" not in "".join(found.files.values()) + "".join(found.notes)


def test_an_environment_has_its_own_file_of_secrets_or_the_common_one(bring: Import, tmp_path: Path) -> None:
    files = {".dev.vars": "A=1\n", ".dev.vars.dev": "B=1\n"}
    bring({"env": {"dev": {}, "prod": {}}}, target="local", files=files)
    read = {name: load_stack(name, tmp_path).workers["shop"].secrets for name in ("default", "dev", "prod")}
    assert read == {
        "default": {"A": "file:app/.dev.vars#A"},
        "dev": {"B": "file:app/.dev.vars.dev#B"},
        "prod": {"A": "file:app/.dev.vars#A"},
    }


def test_of_a_general_file_only_what_the_code_reads_is_a_secret(bring: Import, tmp_path: Path) -> None:
    code = "export default { fetch: (r, env) => new Response(env.KEY + env.CLOUDFLARE_API_TOKEN + env.LATE) };\n"
    files = {"own.js": code, ".env": "KEY=1\nVITE_X=2\nCLOUDFLARE_API_TOKEN=3\n", ".env.local": "LATE=1\nKEY=2\n"}
    bring({"main": "own.js"}, target="local", files=files)
    secrets = load_stack("default", tmp_path).workers["shop"].secrets
    assert secrets == {"KEY": "file:app/.env.local#KEY", "LATE": "file:app/.env.local#LATE"}


def test_secrets_that_the_configuration_lists_are_the_ones(bring: Import, tmp_path: Path) -> None:
    bring({"secrets": {"required": ["KEY", "GONE"]}}, target="local", files={".dev.vars": "KEY=1\nMORE=2\n"})
    secrets = load_stack("default", tmp_path).workers["shop"].secrets
    assert secrets == {"KEY": "file:app/.dev.vars#KEY", "GONE": "env:GONE"}


def test_a_secret_without_a_value_or_with_a_name_that_env_cannot_have_is_told(bring: Import, tmp_path: Path) -> None:
    found = bring({}, target="local", files={".dev.vars": "EMPTY=\nA-B=1\nKEY=1\n"})
    assert load_stack("default", tmp_path).workers["shop"].secrets == {"KEY": "file:app/.dev.vars#KEY"}
    assert [note.partition(": ")[2] for note in found.notes[:2]] == [
        "not carried: `EMPTY` of app/.dev.vars has no value",
        "not carried: `A-B` of app/.dev.vars is no name of letters, digits and underscores",
    ]


# Where to, and what next


def test_the_account_goes_along_unless_the_stack_is_local(bring: Import, tmp_path: Path) -> None:
    account = "0123456789abcdef0123456789abcdef"
    bring({"account_id": account})
    assert load_stack("default", tmp_path).account == account
    files = {".dev.vars": "KEY=1\n"}
    found = bring({"name": "more", "account_id": account}, target="local", folder="more", files=files)
    spec = load_stack("default", tmp_path)
    assert (spec.target, spec.workers["more"].secrets) == ("cloudflare", {"KEY": "env:KEY"})
    assert "stack `default` goes to cloudflare: `--target local` is for new ones" in found.notes


def test_code_that_reads_what_was_left_out_is_told_at_once_and_by_check(bring: Import) -> None:
    code = "export class Room {}\nexport default { fetch: (r, env) => env.ROOM.get('a') };\n"
    rooms = {"pipelines": [{"pipeline": "rooms", "binding": "ROOM"}]}
    found = bring({"main": "rooms.js", **rooms}, target="local", files={"rooms.js": code})
    [finding] = found.findings
    assert finding.code == "IS167"
    assert finding.message == "`env.ROOM` was `pipelines`, which is not made here, and app/rooms.js:2:37 reads it"
    assert found.wrong, "it is not brought up to fail"


@pytest.mark.parametrize(
    ("config", "unbound"),
    [
        ({"browser": {"binding": "WEB"}}, {"WEB": "browser"}),
        ({"containers": [{"class_name": "Box", "image": "./Dockerfile", "name": "boxes"}]}, {"Box": "containers"}),
        ({"services": [{"binding": "MAIL", "service": "mail"}]}, {"MAIL": "services"}),
        (
            {"durable_objects": {"bindings": [{"name": "ROOM", "class_name": "R", "script_name": "rooms"}]}},
            {"ROOM": "durable_objects"},
        ),
        ({"vpc_services": [{"binding": "A", "service_id": "x"}, {"binding": "B", "service_id": "y"}]},
         {"A": "vpc_services", "B": "vpc_services"}),
        ({"browser": {"binding": "NAME"}, "vars": {"NAME": "x"}}, {}),
    ],
    ids=["one", "containers", "a Worker elsewhere", "a class elsewhere", "two", "taken otherwise"],
)  # fmt: skip
def test_the_stack_says_what_env_does_not_hold(
    bring: Import, tmp_path: Path, config: dict[str, Any], unbound: dict[str, str]
) -> None:
    bring(config, target="local")
    entry = yaml.safe_load((tmp_path / "stacks" / "default.yaml").read_text())["workers"]["shop"]
    assert entry.get("unbound", {}) == unbound


@pytest.mark.parametrize(("target", "wrong"), [("local", False), ("cloudflare", True)])
def test_props_of_a_binding_are_carried_and_refused_where_nothing_sends_them(
    bring: Import, tmp_path: Path, target: str, wrong: bool
) -> None:
    props = {"tenantId": "${a}", "roles": ["r"]}
    found = bring({"services": [{"binding": "ME", "service": "shop", "props": props}]}, target=target)
    entry = yaml.safe_load((tmp_path / "stacks" / "default.yaml").read_text())["workers"]["shop"]
    assert entry["bindings"]["ME"] == {"service": "shop", "props": {**props, "tenantId": "$${a}"}}
    assert [finding.code for finding in found.findings if finding.severity == "error"] == (["IS165"] if wrong else [])


def test_a_stack_that_check_refuses_is_written_and_said_to_be_wrong(bring: Import, tmp_path: Path) -> None:
    found = bring({"triggers": {"crons": ["every day"]}})
    assert found.wrong
    assert (tmp_path / "stacks" / "default.yaml").is_file()
    assert next_commands(found, "local") == ["next: correct what stands above; inferstack check default"]


def test_what_comes_next_depends_on_where_the_stacks_go() -> None:
    found = Imported(stacks=["default", "local"])
    assert next_commands(found, "local") == ["next: inferstack up default"]
    assert next_commands(found, "cloudflare")[1] == (
        "or here first: inferstack add stack local-2 --target local --extends default.yaml; inferstack up local-2"
    )


ID = "0123456789abcdef0123456789abcdef"


def test_to_adopt_means_to_keep_names_and_ids(root: Path) -> None:
    config = {
        "kv_namespaces": [{"binding": "CACHE", "id": ID}, {"binding": "NEW"}],
        "d1_databases": [{"binding": "DB", "database_name": "Main", "database_id": "1"}, {"binding": "OTHER"}],
        "r2_buckets": [{"binding": "FILES", "bucket_name": "files"}],
        "queues": {"consumers": [{"queue": "jobs", "dead_letter_queue": "Dead"}]},
        "vectorize": [{"binding": "DOCS", "index_name": "docs"}],
    }
    found = import_wrangler([worker(root, "shop", **config, env={"dev": config})], root, adopt=True)
    assert not found.wrong
    spec, dev = load_stack("default", root), load_stack("dev", root)
    names = {
        **{("databases", "main"): "Main", ("databases", "other"): "other-default"},
        **{("buckets", "files"): "files", ("queues", "jobs"): "jobs", ("queues", "dead"): "Dead"},
        **{("indexes", "docs"): "docs", ("workers", "shop"): "shop", ("namespaces", "new"): "new-default"},
    }
    assert {path: spec.name_of(*path) for path in names} == names
    assert (spec.namespaces["cache"].id, spec.namespaces["new"].id) == (ID, None)
    assert (dev.workers["shop"].name, dev.name_of("workers", "shop")) == (None, "shop-dev")
    assert next_commands(found, "cloudflare", adopt=True) == [
        "next: inferstack adopt default; inferstack preview default"
    ]


@pytest.mark.parametrize("env", [True, 1, "x", ["a"]])
def test_an_env_that_is_no_mapping_is_told(bring: Import, env: object) -> None:
    found = bring({"env": env})
    assert notes(found) == ["not carried: `env` is no mapping of names to environments"]
    assert list(found.files) == ["stacks/default.yaml"]


def test_an_import_without_a_worker_of_its_own_has_a_file_too(root: Path) -> None:
    """Its name is no text, so there is no Worker, and a stack to join is there already."""
    import_wrangler([worker(root, "shop")], root)
    (root / "odd").mkdir()
    (root / "odd" / "wrangler.json").write_text(json.dumps({"name": ["odd"], "main": {}, "vars": 4}))
    found = import_wrangler([root / "odd"], root)
    assert [name.startswith("stacks/default/") for name in found.files] == [True]
    assert any("`vars` is a whole number" in note for note in found.notes)
