"""`inferstack types`: what `env` holds in each Worker, as TypeScript, for code of one's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from inferstack.config import SECTIONS, BindingSpec, StackSpec, WorkerSpec, find_entry, load_stack
from inferstack.errors import ConfigError

FILE = "worker-configuration.d.ts"
ModuleOf = Callable[[WorkerSpec], str | None]  # how the file imports a Worker's entry
KINDS = {
    "ai": "Ai",
    "index": "Vectorize",
    "database": "D1Database",
    "bucket": "R2Bucket",
    "namespace": "KVNamespace",
    "queue": "Queue",
    "hyperdrive": "Hyperdrive",
    "dispatch_namespace": "DispatchNamespace",
    "search": "AiSearchInstance",
    "search_namespace": "AiSearchNamespace",
    "service": "Fetcher",
    "rate_limit": "RateLimit",
    "email": "SendEmail",
    "version_metadata": "WorkerVersionMetadata",
    "analytics": "AnalyticsEngineDataset",
}


def write_types(stack: str, root: Path, out: Path | None) -> list[str]:
    """Beside the code of each Worker that has its own, or for all Workers under `out`; returns the paths."""
    spec = load_stack(stack, root)
    written = []
    for key, worker in spec.workers.items():
        if out is not None:
            file = out / key / FILE
        elif worker.source is not None:
            file = _folder(root / worker.source) / FILE
        else:
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(_interface(stack, key, spec, partial(_module, root, file.parent)))
        written.append(str(file))
    if not written:
        raise ConfigError(f"no Worker of stack `{stack}` has code of its own\n  fix: --out FOLDER writes them for all")
    return written


def _folder(source: Path) -> Path:
    """Where package.json is, else where the source is."""
    entry = find_entry(source)
    start = source if source.is_dir() else source.parent
    return next((f for f in (entry or start).parents if (f / "package.json").is_file() and f == start), start)


def _type(value: Any) -> str:
    """What a variable's value is; a list by its items, a mapping by its keys."""
    if isinstance(value, dict):
        return "{ " + " ".join(f"{json.dumps(key)}: {_type(item)};" for key, item in value.items()) + " }"
    if isinstance(value, list):
        return f"({' | '.join(sorted({_type(item) for item in value})) or 'unknown'})[]"
    if value is None:
        return "null"
    return "boolean" if isinstance(value, bool) else "string" if isinstance(value, str) else "number"


def _module(root: Path, folder: Path, worker: WorkerSpec) -> str | None:
    """How the file imports the Worker's entry, as `wrangler types` writes it."""
    entry = find_entry(root / worker.source) if worker.source else None
    if entry is None:
        return None
    path = Path(os.path.relpath(entry.with_suffix(""), folder)).as_posix()
    return path if path.startswith(".") else f"./{path}"


def _service(binding: BindingSpec, spec: StackSpec, module_of: ModuleOf) -> str | None:
    """As `wrangler types` has it."""
    module = module_of(spec.workers[binding.service]) if binding.service else None
    return f"Service<typeof import({json.dumps(module)}).{binding.entrypoint or 'default'}>" if module else None


def _interface(stack: str, key: str, spec: StackSpec, module_of: ModuleOf) -> str:
    worker, module = spec.workers[key], module_of(spec.workers[key])
    lines = [f"// Made by `inferstack types {stack}`: what `env` holds in the Worker `{key}`. Do not edit."]
    lines += ['/// <reference types="@cloudflare/workers-types" />', "", "interface Env {"]
    for name, binding in sorted(worker.bindings.items()):
        kind = binding.kind
        if kind == "prompt":
            continue
        target = getattr(binding, kind)
        about = f" // {spec.name_of(SECTIONS[kind], target)}" if kind in SECTIONS else ""
        lines.append(f"  {name}: {_service(binding, spec, module_of) or KINDS[kind]};{about}")
    for name, each in sorted(worker.bound_objects.items()):
        if each.worker is None and module:
            lines.append(f"  {name}: DurableObjectNamespace<import({json.dumps(module)}).{each.class_name}>;")
        else:
            where = spec.name_of("workers", each.worker) if each.worker else key
            lines.append(f"  {name}: DurableObjectNamespace; // {each.class_name} of {where}")
    for name, flow in sorted(worker.workflows.items()):
        payload = f'<Parameters<import({json.dumps(module)}).{flow.class_name}["run"]>[0]["payload"]>'
        own = payload if flow.worker is None and module else ""
        lines.append(f"  {name}: Workflow{own}; // {spec.workflow_name(key, name)}")
    if worker.assets is not None and worker.assets.binding is not None:
        lines.append(f"  {worker.assets.binding}: Fetcher; // {worker.assets.directory}")
    for name, prompt in sorted(spec.prompts_of(key).items()):
        open_ones = " | ".join(map(json.dumps, spec.prompts[prompt].open)) or "never"
        known = f"{{ prompt: {json.dumps(prompt)}; version: string; text: string; variables: ({open_ones})[]; }}"
        lines.append(f"  {name}: {known};")
    lines += [f"  {name}: {_type(value)};" for name, value in sorted(spec.variables_of(key).items())]
    for name, reference in sorted(worker.secrets.items()):
        stored = reference.startswith("store:")
        lines.append(
            f"  {name}: SecretsStoreSecret; // await env.{name}.get()" if stored else f"  {name}: string; // secret"
        )
    return "\n".join([*lines, "}", ""])
