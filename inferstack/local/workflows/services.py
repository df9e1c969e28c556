"""Workflows in workerd's configuration (facts `simulators.md`): the engine of each, the front before it, and the way to both.

The engine runs beside the Worker that has the class, in the process that may open what objects store: its calls to the
class, and a step's return, stay within one process.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from inferstack.local.runtime.literals import joined, literal
from inferstack.local.workflows import limits
from inferstack.local.workflows.state import Flow, folders_of

HERE = Path(__file__).parent
ENGINE, WRAPPER, CHECKS = "workflows/binding", "workflows/wrapped-binding", "shared/zod"
MODULE = "workflows:local-wrapped-binding"  # the name that the simulator's own configuration gives it
ENGINE_FILE, WRAPPER_FILE, CHECKS_FILE, FRONT_FILE, GONE_FILE = (
    "engine.js",
    "wrapper.js",
    "zod.js",
    "front.js",
    "gone.js",
)
ENGINE_DATE, DATE = "2024-10-22", "2026-06-01"
GONE = "workflow-gone"
WAKE = "local-wake"  # the type of the event that wakes an instance
LIMITS = {
    "id": limits.LONGEST_ID,
    "type": limits.LONGEST_TYPE,
    "payload": limits.LARGEST_PAYLOAD,
    "batch": limits.MOST_IN_BATCH,
}


def place_modules(folder: Path, modules: Path) -> list[str]:
    """The files, into a folder of their own; returns the extensions: what wraps bindings, and what the engine imports."""
    place = folder / "workflows"
    place.mkdir()
    for module, name in ((ENGINE, ENGINE_FILE), (WRAPPER, WRAPPER_FILE), (CHECKS, CHECKS_FILE)):
        (place / name).write_bytes((modules / f"{module}.worker.js").read_bytes())
    for name in (FRONT_FILE, GONE_FILE):
        (place / name).write_bytes((HERE / name).read_bytes())
    wrapper = f'(name = "{MODULE}", esModule = embed "workflows/{WRAPPER_FILE}", internal = true)'
    return [wrapper, f'(name = "miniflare:zod", esModule = embed "workflows/{CHECKS_FILE}")']


def front_of(flow: Flow) -> str:
    return f"workflow-{flow.id}"


def gone() -> str:
    """What a binding reaches whose workflow is not there."""
    module = f'(name = "{GONE_FILE}", esModule = embed "workflows/{GONE_FILE}")'
    return f'(name = "{GONE}", worker = (modules = [{module}], compatibilityDate = "{DATE}"))'


def designator(flow: Flow | None) -> str:
    service = front_of(flow) if flow else GONE
    inner = f'(name = "binding", service = (name = {literal(service)}, entrypoint = "Front"))'
    return f'wrapped = (moduleName = "{MODULE}", innerBindings = [{inner}])'


def services(flow: Flow, owner: str, disk: str | None, traced: bool = False) -> Iterator[str]:
    """Of one workflow; `owner` is the service of the Worker with the class, `disk` that of what objects store.

    `traced`: the runtime passes a trace on only through Workers that have a tail, so both have one.
    """
    storage = f"(localDisk = {literal(disk)})" if disk else "(inMemory = void)"
    front, engine = front_of(flow), f"{front_of(flow)}-engine"
    kept, listed = folders_of(flow.id)
    bindings = [
        '(name = "ENGINE", durableObjectNamespace = (className = "Engine"))',
        f'(name = "USER_WORKFLOW", service = (name = {literal(owner)}, entrypoint = {literal(flow.class_name)}))',
        _json("BINDING_NAME", flow.name),
        _json("WORKFLOW_NAME", flow.name),
    ]
    if flow.steps is not None:
        bindings.append(_json("STEP_LIMIT", flow.steps))
    yield _worker(
        engine,
        ENGINE_FILE,
        f'compatibilityDate = "{ENGINE_DATE}", compatibilityFlags = ["experimental"]',
        f'(className = "Engine", uniqueKey = {literal(kept)}, enableSql = true, preventEviction = true)',
        storage,
        bindings,
        _tail(front=False) if traced else "",
    )
    bindings = [
        f'(name = "ENGINE", durableObjectNamespace = (className = "Engine", serviceName = {literal(engine)}))',
        f'(name = "WORKFLOW", service = (name = {literal(engine)}, entrypoint = "WorkflowBinding"))',
        '(name = "INSTANCES", durableObjectNamespace = (className = "Instances"))',
        _json("LIMITS", LIMITS),
        _json("VERSION", flow.version),
        _json("WAKE", WAKE),
    ]
    space = f'(className = "Instances", uniqueKey = {literal(listed)}, enableSql = true, preventEviction = true)'
    yield _worker(
        front,
        FRONT_FILE,
        f'compatibilityDate = "{DATE}"',
        space,
        storage,
        bindings,
        _tail(front=True) if traced else "",
    )


def _tail(*, front: bool) -> str:
    props = literal(json.dumps({"front": front}))
    return f', streamingTails = [(name = "system", entrypoint = "between", props = (json = {props}))]'


def _worker(name: str, file: str, settings: str, space: str, storage: str, bindings: list[str], tail: str) -> str:
    return (
        f'(name = {literal(name)}, worker = (modules = [(name = "{file}", esModule = embed "workflows/{file}")], '
        f"{settings}, durableObjectNamespaces = [{space}], durableObjectStorage = {storage}, "
        f"bindings = [{joined(bindings)}]{tail}))"
    )


def _json(name: str, value: object) -> str:
    return f"(name = {literal(name)}, json = {literal(json.dumps(value))})"
