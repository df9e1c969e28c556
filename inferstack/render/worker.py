"""A Worker's modules: the template rendered for this stack, and the shared modules it names.

Templates are sandboxed and strict. A value enters JavaScript only through `tojson`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from inferstack.config import StackSpec
from inferstack.config.models import ModelSpec
from inferstack.config.templates import find_template
from inferstack.errors import ConfigError
from inferstack.render.module import Module
from inferstack.render.source import source_modules


@dataclass(frozen=True, slots=True)
class RenderedWorker:
    """Modules, the main one first, and a digest of all of them."""

    modules: tuple[Module, ...]
    digest: str


def render_worker(spec: StackSpec, key: str, root: Path) -> RenderedWorker:
    """Raises `ConfigError` when the Worker lacks what its template needs."""
    worker = spec.workers[key]
    modules = source_modules(worker.source, root) if worker.source else _from_template(spec, key, root)
    named = b"\0".join(m.name.encode() + b"\0" + m.content for m in modules)
    return RenderedWorker(modules, hashlib.sha256(named).hexdigest())


def _from_template(spec: StackSpec, key: str, root: Path) -> tuple[Module, ...]:
    worker = spec.workers[key]
    assert worker.template is not None
    folder = root / "templates" / worker.template
    template = find_template(worker.template, root)
    if template is None:
        raise ConfigError(f"worker `{key}`: there is no template `{worker.template}`")
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    values = {
        "worker": key,
        "models": {role: _model(spec, alias, root) for role, alias in sorted(worker.models.items())},
        "options": {**template.options, **worker.options},
    }
    try:
        main = environment.get_template("worker.js.j2").render(values)
    except TemplateError as error:
        raise ConfigError(f"template `{worker.template}` of worker `{key}`: {error}") from None
    shared = [Module(name, (root / "worker_src" / name).read_bytes()) for name in template.modules]
    return (Module("index.js", main.encode()), *shared)


def _model(spec: StackSpec, alias: str, root: Path) -> dict[str, Any]:
    """What a Worker needs to know of a model: how it is called, its parameters, and what to call when it fails."""
    model = spec.models[alias]
    return {
        **_target(spec, alias),
        "system": _system(model, root),
        "max_tokens": model.max_tokens,
        "temperature": model.temperature,
        "fallbacks": [_target(spec, fallback) for fallback in model.fallbacks],
    }


def _target(spec: StackSpec, alias: str) -> dict[str, Any]:
    """`name` for `env.AI.run`; a model behind a route or of another provider has the gateway's `provider/model`."""
    model = spec.models[alias]
    gateway = spec.physical(model.gateway) if model.gateway else None
    compat = f"dynamic/{model.route}" if model.route else f"{model.provider}/{model.model}" if model.external else None
    return {"name": model.model, "gateway": gateway, "compat": compat}


def _system(model: ModelSpec, root: Path) -> str | None:
    return (root / model.system_file).read_text().strip() if model.system_file else model.system
