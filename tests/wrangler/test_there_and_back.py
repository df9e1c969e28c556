"""Whatever a wrangler file says of what stacks have too comes back out of a stack; whatever else it holds is told."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from inferstack.errors import ConfigError
from inferstack.wrangler.bindings_in import BINDINGS, LISTS, OTHERS
from inferstack.wrangler.objects_in import PARTS
from inferstack.wrangler.settings_in import NO_MATTER, SETTINGS
from inferstack.wrangler.wrangler_export import export_wrangler
from inferstack.wrangler.wrangler_import import Imported, import_wrangler
from tests.wrangler.conftest import CODE

WORD = st.from_regex(r"[a-z]{1,6}", fullmatch=True)
HEX = st.from_regex(r"[0-9a-f]{32}", fullmatch=True)
RATE = st.sampled_from([0.25, 0.5, 1])
TEXT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
WITHOUT = {"$schema", "no_bundle", "rules", "name", "main", "compatibility_date"}


def some(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Any of the keys."""
    return st.fixed_dictionaries({}, optional=keys)


def of(**keys: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(keys)


LOGS = of(enabled=st.just(value=True), head_sampling_rate=RATE, persist=st.booleans())
FLOW_LIMITS = some(limits=of(steps=st.integers(1, 25_000)))
CONSUMER = of(
    max_batch_size=st.integers(1, 100),
    max_batch_timeout=st.integers(0, 60),
    max_retries=st.integers(0, 100),
)
EXTRAS = some(max_concurrency=st.integers(1, 250), retry_delay=st.integers(0, 99), dead_letter_queue=WORD)


def _for(queue: str, extras: dict[str, Any]) -> dict[str, Any]:
    """No queue is its own dead letter: that is a finding."""
    return {key: value for key, value in extras.items() if value != queue}


CLASSES = "".join(f"export class {kind}{place} {{}}\n" for kind in "CK" for place in range(3))


@st.composite
def objects(draw: st.DrawFn, names: Iterator[str]) -> dict[str, Any]:
    """Durable Objects as an export says them: first what is new, then what became of it."""
    places, deleted = range(draw(st.integers(0, 3))), range(draw(st.integers(0, 2)))
    renamed = {f"C{place}": f"Old{place}" for place in places if draw(st.booleans())}
    made = [renamed.get(f"C{place}", f"C{place}") for place in places] + [f"Gone{place}" for place in deleted]
    older = [f"K{place}" for place in range(draw(st.integers(0, 2)))]
    first = {"new_sqlite_classes": made, "new_classes": older}
    second = {"renamed_classes": [{"from": old, "to": new} for new, old in renamed.items()]}
    second |= {"deleted_classes": [f"Gone{place}" for place in deleted]}
    steps = [{k: v for k, v in step.items() if v} for step in (first, second)]
    classes = [*(f"C{place}" for place in places), *older]
    return {
        "durable_objects": {"bindings": [{"name": next(names), "class_name": name} for name in classes]},
        "migrations": [{"tag": f"v{number}", **step} for number, step in enumerate(filter(None, steps), 1)],
    }


@st.composite
def configurations(draw: st.DrawFn) -> dict[str, Any]:
    names = iter(f"N{number}" for number in range(99))

    def bindings(entry: st.SearchStrategy[dict[str, Any]], name: str = "binding") -> list[dict[str, Any]]:
        return [{name: next(names), **item} for item in draw(st.lists(entry, max_size=3))]

    consumed = draw(st.lists(WORD, max_size=2, unique=True))
    found: dict[str, Any] = {
        "vars": {next(names): value for value in draw(st.lists(JSON.filter(lambda v: v is not None), max_size=3))},
        "kv_namespaces": bindings(of(id=WORD)),
        "d1_databases": bindings(of(database_name=WORD)),
        "r2_buckets": bindings(of(bucket_name=WORD)),
        "vectorize": bindings(of(index_name=WORD)),
        "ai_search": bindings(of(instance_name=WORD)),
        "ai_search_namespaces": bindings(of(namespace=WORD)),
        "dispatch_namespaces": bindings(of(namespace=WORD)),
        "ratelimits": bindings(of(simple=of(limit=st.integers(1, 99), period=st.sampled_from([10, 60]))), "name"),
        "queues": {
            "producers": bindings(of(queue=WORD)),
            "consumers": [{"queue": queue, **draw(CONSUMER), **_for(queue, draw(EXTRAS))} for queue in consumed],
        },
        "observability": draw(
            of(enabled=st.booleans()) | of(enabled=st.booleans(), head_sampling_rate=RATE, logs=LOGS)
        ),
        "triggers": {"crons": draw(st.lists(st.sampled_from(["0 3 * * *", "*/5 * * * *"]), unique=True))},
        "limits": draw(some(cpu_ms=st.integers(1, 300_000), subrequests=st.integers(1, 99))),
        "placement": draw(st.sampled_from([{}, {"mode": "smart"}, {"mode": "targeted", "region": "aws:us-east-1"}])),
        "routes": draw(st.lists(of(pattern=st.just("a.example.com/*"), zone_id=HEX), max_size=1)),
        "compatibility_flags": draw(st.lists(st.just("nodejs_compat"), max_size=1)),
        **draw(of(workers_dev=st.booleans(), preview_urls=st.booleans())),
        **draw(some(account_id=HEX.filter(lambda text: set(text) != {"0"}), logpush=st.just(value=True))),
        **draw(objects(names)),
        "workflows": [
            {"name": f"flow-{n}", "class_name": "C0", **each} for n, each in enumerate(bindings(FLOW_LIMITS))
        ],
        **({"ai": {"binding": next(names)}} if draw(st.booleans()) else {}),
    }
    for place, limit in enumerate(found["ratelimits"]):
        limit["namespace_id"] = str(1001 + place)
    return found


def imported(config: Any, root: Path) -> Imported:
    (root / "stacks").mkdir()
    (root / "app").mkdir()
    (root / "app" / "index.js").write_text(CODE + CLASSES)
    basis = {"name": "shop", "main": "index.js", "compatibility_date": "2026-05-01"}
    (root / "app" / "wrangler.json").write_text(json.dumps({**basis, **config}))
    return import_wrangler([root / "app"], root)


def comparable(raw: Any) -> Any:
    """Without what says nothing, without ids, and by the names that resources had."""
    if isinstance(raw, dict):
        found = {key: comparable(value) for key, value in raw.items() if key not in ("id", *WITHOUT)}
        return {key: value for key, value in found.items() if value not in ({}, [], None)}
    if isinstance(raw, list):
        return [comparable(item) for item in raw]
    return re.sub(r"-default$", "", raw) if isinstance(raw, str) else raw


@settings(max_examples=40, deadline=None)
@given(configurations())
def test_what_stacks_have_too_comes_back_as_it_was(config: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        found = imported(config, root)
        assert not [note for note in found.notes if "not carried" in note]
        assert not found.wrong, found.findings
        export_wrangler("default", root, root / "out")
        back = json.loads((root / "out" / "shop" / "wrangler.jsonc").read_text().partition("\n")[2])
    assert back.pop("vars", {}) == config.pop("vars")  # to the letter
    assert by_name(back) == by_name(config)


def by_name(config: dict[str, Any]) -> Any:
    """Lists of queues in any order."""
    found = comparable(config)
    for entries in found.get("queues", {}).values():
        entries.sort(key=json.dumps)
    return found


@settings(max_examples=80, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([*BINDINGS, *LISTS, *SETTINGS, *sorted(OTHERS), *PARTS, *sorted(NO_MATTER)]), JSON, max_size=6
    )
)
def test_no_value_at_all_ends_in_anything_but_a_stack_or_a_clear_error(config: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        try:
            found = imported(config, Path(folder))
        except ConfigError as error:
            assert "\n  fix: " in str(error)
        else:
            assert next(iter(found.files)) == "stacks/default.yaml" or "targetEnvironment" in config
