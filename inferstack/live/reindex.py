"""`inferstack reindex`: another embedding model for an index that answers all the while.

A second index is made beside the first, filled from D1 through the queue, then the Worker switches, and the first is
retired after a hold. Where it stands is read from the stack, so that the command can be run again after anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inferstack.change import deploy
from inferstack.config import StackSpec, find_template, lacking, load_stack, parse_seconds
from inferstack.engine import progress
from inferstack.engine.account import Account
from inferstack.engine.runs import say
from inferstack.errors import ConfigError, UserError
from inferstack.live import rag
from inferstack.live.overrides import override

POLL_SECONDS = 1.0
STALLED_SECONDS = 120.0  # without progress


def reindex(stack: str, root: Path, index: str, model: str | None, *, hold: str, retire: bool, url: str | None) -> str:
    """Carries on from where it stands; returns what to know or do next."""
    spec = load_stack(stack, root)
    keep = parse_seconds(hold)
    worker = _worker_of(stack, spec, root, index)
    if spec.indexes[index].beside is None:
        _start(stack, root, spec, index, model)
        spec = load_stack(stack, root)
    beside = spec.indexes[index].beside
    assert beside is not None
    if model is not None and model not in (beside.model, spec.indexes[index].model):
        raise UserError(f"index `{index}` is on its way to `{beside.model}`\n  fix: finish that first, without --model")
    if beside.generation > spec.indexes[index].generation:
        deploy.up(stack, root)
        _fill(stack, root, spec, index, url)
        _switch(stack, root, spec, index, worker)
        spec = load_stack(stack, root)
    return _retire(stack, root, spec, index, worker, 0 if retire else keep)


def _worker_of(stack: str, spec: StackSpec, root: Path, index: str) -> str:
    if index not in spec.indexes:
        raise ConfigError(lacking(f"stack `{stack}`", "index", index, spec.indexes))
    users = []
    for key, worker in spec.workers.items():
        bound = [name for name, binding in worker.bindings.items() if binding.index == index]
        template = find_template(worker.template, root) if worker.template else None
        if bound and (template is None or template.reindexes not in bound):
            raise UserError(f"Worker `{key}` uses index `{index}` and its code cannot fill another one beside it")
        users += [key] if bound else []
    if len(users) != 1:
        raise UserError(f"index `{index}` is used by {len(users)} Workers; one can be filled by exactly one")
    return users[0]


def _start(stack: str, root: Path, spec: StackSpec, index: str, model: str | None) -> None:
    if model is None:
        raise ConfigError("name the new embedding model\n  fix: --model ALIAS, declared under `models:`")
    if model not in spec.models:
        raise ConfigError(lacking(f"stack `{stack}`", "model", model, spec.models))
    current = spec.indexes[index]
    if model == current.model:
        raise ConfigError(f"index `{index}` has the model `{model}` already")
    before = load_overrides(stack, root)
    beside = {"model": model, "generation": current.generation + 1}
    file = override(stack, root, {("indexes", index, "beside"): beside})
    try:
        load_stack(stack, root)
    except ConfigError:
        _restore(file, before)
        raise
    say(f"index {index}: generation {current.generation + 1} with `{model}` beside generation {current.generation}")


def load_overrides(stack: str, root: Path) -> bytes | None:
    file = root / f"Pulumi.{stack}.yaml"
    return file.read_bytes() if file.is_file() else None


def _restore(file: Path, before: bytes | None) -> None:
    file.unlink() if before is None else file.write_bytes(before)


def _fill(stack: str, root: Path, spec: StackSpec, index: str, url: str | None) -> None:
    """Queue what is missing, wait until it is there, and count it in the index itself."""
    endpoint = rag.Endpoint(stack, root, url)
    headers, cursor = endpoint.token_headers(), ""
    while cursor is not None:
        page = rag.send(endpoint, "POST", "/reindex", {"cursor": cursor}, headers)
        cursor = page["cursor"]
    now: dict[str, Any] = rag.send(endpoint, "GET", "/reindex", None, headers)
    with progress.counted(f"filling {now['index']}", now["documents"]) as tell:
        _wait(spec, root, index, lambda: rag.send(endpoint, "GET", "/reindex", None, headers), tell)


def _wait(
    spec: StackSpec, root: Path, index: str, look: Callable[[], dict[str, Any]], tell: Callable[[int], None]
) -> None:
    """Until all is there; `tell` hears how many documents are."""
    last, since = -1, time.monotonic()
    while True:
        now = look()
        if now["done"] != last:
            last, since = now["done"], time.monotonic()
            tell(last)
            say(f"  {now['done']} of {now['documents']} documents are in {now['index']}")
        if now["done"] >= now["documents"] and _count(spec, root, now["index"]) >= now["chunks"]:
            return
        if time.monotonic() - since > STALLED_SECONDS:
            text = f"index `{index}` does not fill any more: {now['done']} of {now['documents']} documents"
            raise UserError(
                f"{text}\n  fix: look at the Worker's log and its dead letters, then run the same command again"
            )
        time.sleep(POLL_SECONDS)


def _count(spec: StackSpec, root: Path, name: str) -> int:
    info = Account(spec, root).call("GET", f"/vectorize/v2/indexes/{name}/info")
    return int(info.get("vectorCount") or 0)


def _switch(stack: str, root: Path, spec: StackSpec, index: str, worker: str) -> None:
    """The new one answers; the old one is kept up to date, so that a rollback finds it whole."""
    old, new = spec.indexes[index], spec.indexes[index].beside
    assert new is not None
    roles = {role: new.model for role, alias in spec.workers[worker].models.items() if alias == old.model}
    changes: dict[tuple[str, ...], Any] = {
        ("indexes", index, "model"): new.model,
        ("indexes", index, "generation"): new.generation,
        ("indexes", index, "beside"): {"model": old.model, "generation": old.generation},
        **{("workers", worker, "models", role): alias for role, alias in roles.items()},
    }
    if old.dimensions is not None:
        changes[("indexes", index, "dimensions")] = None
    override(stack, root, changes)
    deploy.up(stack, root)
    say(f"index {index}: generation {new.generation} with `{new.model}` answers")


def _retire(stack: str, root: Path, spec: StackSpec, index: str, worker: str, keep: float) -> str:
    beside = spec.indexes[index].beside
    assert beside is not None
    deployments = Account(spec, root).deployments(spec.name_of("workers", worker))
    switched = datetime.fromisoformat(deployments[0].created) if deployments else datetime.now(UTC)
    left = keep - (datetime.now(UTC) - switched).total_seconds()
    if left > 0:
        again = f"inferstack reindex {stack} {index}"
        return f"the old index is kept for {left / 3600:.1f} h more; then run again: {again} (or now: {again} --retire)"
    old = spec.index_key(index, beside.generation)
    override(stack, root, {("indexes", index, "beside"): None})
    deploy.up(stack, root, allowed=frozenset({old}))
    return f"index {index} is reindexed; {spec.generation_name(index, beside.generation)} is retired"
