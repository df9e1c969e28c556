"""Writes docs/coverage.md: which operations of Cloudflare's API the local one plays, family by family.

From `tests/data/openapi-subset.json` and the routes of the app itself. tests/tools/test_coverage.py says when it is old.

    python tools/coverage.py
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from starlette.routing import Route  # noqa: E402

from inferstack import local  # noqa: E402
from inferstack.local._settings import API  # noqa: E402
from inferstack.local._store import Store  # noqa: E402
from inferstack.local.ai.run import Models  # noqa: E402
from inferstack.local.api_faults import ApiFaults  # noqa: E402
from inferstack.local.app import Account, LocalCloudflare  # noqa: E402
from inferstack.local.storage.storage import Storage  # noqa: E402

SOURCE, TARGET = ROOT / "tests" / "data" / "openapi-subset.json", ROOT / "docs" / "coverage.md"
# Routes that answer with a refusal by name, and why.
REFUSED = {
    "POST /ai/finetunes": "LoRA needs the models' weights",
    "POST /ai/finetunes/{finetune_id}/finetune-assets": "LoRA needs the models' weights",
}
HEAD = """# What of the API is played

Operations of Cloudflare's API, as its description of 2026-11 has them for the products of an inference stack, and whether the
local Cloudflare answers them. Requests to all of them are checked by that description first. Written by `tools/coverage.py`
from the routes of the program itself; a test fails when this page is older than they are. What is not there is answered
with 404 and code 7003, "not emulated".

| family | operations | works | refused by name | not there |
| --- | --- | --- | --- | --- |
"""


def played() -> set[str]:
    """Method and path of each route, parameters without their names."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Store(folder)
        account = Account(account_id=local.ACCOUNT_ID, token="t", subdomain="local")  # noqa: S106 - of nobody
        storage = Storage(Path("workerd"), Path("modules"), folder / "storage", folder / "log")
        app = LocalCloudflare(store, account, Models(), ApiFaults(), storage).api()
        routes = [route for route in app.routes if isinstance(route, Route)]
        store.close()
    return {f"{method} {_plain(route.path)}" for route in routes for method in route.methods or ()}


def _plain(path: str) -> str:
    return re.sub(r"\{[^}]*\}", "{}", path.removeprefix(API))


def page() -> str:
    there = played()
    families: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for path, methods in json.loads(SOURCE.read_text())["paths"].items():
        short = path.removeprefix("/accounts/{account_id}") or path
        for method in methods:
            operation = f"{method.upper()} {short}"
            state = "not there" if f"{method.upper()} {_plain(path)}" not in there else "works"
            state = "refused by name" if operation in REFUSED else state
            families[short.strip("/").split("/")[0].strip("{}")].append((operation, state))
    lines, missing = [], []
    for family, found in sorted(families.items()):
        counts = [sum(state == each for _, state in found) for each in ("works", "refused by name", "not there")]
        lines.append(f"| {family} | {len(found)} | {' | '.join(map(str, counts))} |")
        names = [f"`{operation}`" for operation, state in found if state == "not there"]
        missing += [f"\n**{family}**: {', '.join(names)}\n"] if names else []
    refused = [f"- `{operation}`: {reason}\n" for operation, reason in REFUSED.items()]
    text = HEAD + "\n".join(lines) + "\n\n## Not there\n" + "".join(missing)
    return text + "\n## Refused by name\n\n" + "".join(refused)


if __name__ == "__main__":
    TARGET.write_text(page())
