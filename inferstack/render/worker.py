"""A Worker's modules: the template rendered for this stack, and the shared modules it names.

Templates are sandboxed and strict. A value enters JavaScript only through `tojson`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import FileSystemLoader, StrictUndefined, TemplateError
from jinja2.sandbox import SandboxedEnvironment

from inferstack.config import StackSpec
from inferstack.config.models import WorkerSpec
from inferstack.errors import ConfigError

JAVASCRIPT = "application/javascript+module"


@dataclass(frozen=True, slots=True)
class Module:
    """One ES module as it is uploaded."""

    name: str
    content: str
    content_type: str = JAVASCRIPT


@dataclass(frozen=True, slots=True)
class RenderedWorker:
    """Modules, the main one first, and a digest of all of them."""

    modules: tuple[Module, ...]
    digest: str


def render_worker(spec: StackSpec, key: str, root: Path) -> RenderedWorker:
    """Raises `ConfigError` when the Worker lacks what its template needs."""
    worker = spec.workers[key]
    folder = root / "templates" / worker.template
    manifest: dict[str, Any] = yaml.safe_load((folder / "template.yaml").read_text())
    _check_needs(key, worker, manifest)
    environment = SandboxedEnvironment(
        loader=FileSystemLoader(folder),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    values = {
        "worker": key,
        "models": {role: _model(spec, alias) for role, alias in sorted(worker.models.items())},
        "options": {**manifest.get("options", {}), **worker.options},
    }
    try:
        main = environment.get_template("worker.js.j2").render(values)
    except TemplateError as error:
        raise ConfigError(f"template `{worker.template}` of worker `{key}`: {error}") from None
    shared = [Module(name, (root / "worker_src" / name).read_text()) for name in manifest.get("modules", [])]
    modules = (Module("index.js", main), *shared)
    text = "\0".join(f"{m.name}\0{m.content}" for m in modules)
    return RenderedWorker(modules, hashlib.sha256(text.encode()).hexdigest())


def _model(spec: StackSpec, alias: str) -> dict[str, Any]:
    """What a Worker needs to know of a model: its name, parameters, and the gateway it goes through."""
    model = spec.models[alias]
    gateway = spec.physical(model.gateway) if model.gateway else None
    return {
        "name": model.model,
        "gateway": gateway,
        "system": model.system,
        "max_tokens": model.max_tokens,
        "temperature": model.temperature,
    }


def _check_needs(key: str, worker: WorkerSpec, manifest: dict[str, Any]) -> None:
    needs = manifest.get("needs", {})
    for role in needs.get("models", []):
        if role not in worker.models:
            raise ConfigError(
                f"worker `{key}`: template `{worker.template}` needs a model for `{role}`\n"
                f"  fix: add `models: {{ {role}: <a name under models:> }}`"
            )
    for name, kind in needs.get("bindings", {}).items():
        binding = worker.bindings.get(name)
        if binding is None or getattr(binding, kind) is None:
            raise ConfigError(
                f"worker `{key}`: template `{worker.template}` needs a binding `{name}` of kind `{kind}`\n"
                f"  fix: add `{name}: {{ {kind}: … }}` under its `bindings:`"
            )
    for name in needs.get("secrets", []):
        if name not in worker.secrets:
            raise ConfigError(
                f"worker `{key}`: template `{worker.template}` needs the secret `{name}`\n"
                f"  fix: add `{name}: env:…` (or file:…, config:…) under its `secrets:`"
            )
    known = manifest.get("options", {})
    for name in worker.options:
        if name not in known:
            raise ConfigError(
                f"worker `{key}`: template `{worker.template}` has no option `{name}`\n  fix: one of: {', '.join(known)}"
            )
