"""The same calls of the same Worker on our local Cloudflare and on miniflare: what they come to is the same.

miniflare is the one that wrangler 4.86 brings (4.20260426.0), on the workerd that ours runs (1.20261023.1). It has no local
AI, Vectorize or AI Gateway: those go to Cloudflare, so there is nothing to lay ours beside.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.conftest import Api
from tests.parity.differences import DIFFERENCES
from tests.parity.here import Outcomes, deploy, members, miniflare, told_here, told_there

pytestmark = pytest.mark.slow

INTERFACES = {
    "kv": ["KVNamespace"],
    "d1": ["D1Database", "D1DatabaseSession", "D1PreparedStatement"],
    "cache": ["CacheStorage", "Cache"],
    "queues": ["Queue", "RateLimit"],
    "objects": ["DurableObjectNamespace", "DurableObjectId", "Fetcher"],
    "storage": ["DurableObjectStorage", "DurableObjectTransaction", "SyncKvStorage"],
    "state": ["DurableObjectState"],
    "sql": ["SqlStorage", "SqlStorageCursor"],
    "r2": ["R2Bucket", "R2Object", "R2ObjectBody", "R2MultipartUpload"],
}


@pytest.fixture(scope="module")
def both(cloudflare: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, tuple[Outcomes, Outcomes]]]:
    deploy(cloudflare)
    with miniflare(tmp_path_factory.mktemp("site")) as address:
        yield {product: (told_here(cloudflare, product), told_there(address, product)) for product in INTERFACES}


def calls(outcome: Any) -> dict[int | None, Any]:
    """Those of a case that makes several."""
    return dict(enumerate(outcome)) if isinstance(outcome, list) else {None: outcome}


def _is_called(name: str, code: str) -> bool:
    return name in code if name.startswith("[") else bool(re.search(rf"\.{re.escape(name)}\b", code))


def differences(here: Outcomes, there: Outcomes) -> dict[tuple[str, int | None], str]:
    found = {}
    for case, told in here.items():
        ours, theirs = calls(told["outcome"]), calls(there[case]["outcome"])
        for call in ours.keys() | theirs.keys():
            if ours.get(call, "no such call") != theirs.get(call, "no such call"):
                found[case, call] = f"{case}, call {call}:\n" + "\n".join(unlike(ours.get(call), theirs.get(call)))
    return found


def unlike(ours: Any, theirs: Any, place: str = "") -> Iterator[str]:
    """Where two outcomes differ, in words."""
    if isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        ours, theirs = (dict(enumerate(both)) for both in (ours, theirs))
    if isinstance(ours, dict) and isinstance(theirs, dict) and "error" not in ours | theirs:
        for key in sorted(ours.keys() | theirs.keys(), key=str):
            yield from unlike(ours.get(key, "not there"), theirs.get(key, "not there"), f"{place}.{key}")
    elif ours != theirs:
        yield f"  {place[1:] or 'it'}: here {ours}\n  {' ' * len(place[1:] or 'it')}  miniflare {theirs}"


@pytest.mark.parametrize("product", INTERFACES)
def test_every_call_comes_to_the_same(both: dict[str, tuple[Outcomes, Outcomes]], product: str) -> None:
    here, there = both[product]
    assert here.keys() == there.keys()
    found = differences(here, there)
    unmeant = [text for key, text in found.items() if key not in DIFFERENCES]
    assert not unmeant, "\n".join(unmeant)
    assert not {key for key in DIFFERENCES if key[0] in here} - found.keys(), "no difference any more"


@pytest.mark.parametrize("product", INTERFACES)
def test_every_member_in_the_types_is_called(both: dict[str, tuple[Outcomes, Outcomes]], product: str) -> None:
    here, _ = both[product]
    for interface, names in members(INTERFACES[product]).items():
        assert names, f"the types have no {interface}"
        code = "\n".join(told["code"] for case, told in here.items() if case.split(".")[0] == interface)
        missing = [f"{interface}.{name}" for name in names if not _is_called(name, code)]
        assert not missing, f"in Cloudflare's types and called by no case: {', '.join(missing)}"


def test_the_differences_name_cases(both: dict[str, tuple[Outcomes, Outcomes]]) -> None:
    cases = {case for here, _ in both.values() for case in here}
    assert {case for case, _ in DIFFERENCES} <= cases


@pytest.mark.parametrize("product", INTERFACES)
def test_every_case_comes_to_an_end(both: dict[str, tuple[Outcomes, Outcomes]], product: str) -> None:
    """What fails or hangs as a whole on both would be the same."""
    here, _ = both[product]
    broken = {case: told["outcome"] for case, told in here.items() if _is_broken(told["outcome"]) or not told["code"]}
    assert not broken


def _is_broken(outcome: Any) -> bool:
    return outcome == "did not end" or (isinstance(outcome, dict) and "error" in outcome)
