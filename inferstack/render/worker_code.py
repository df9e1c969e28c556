"""A Worker's modules: the template rendered for this stack, and the shared modules it names.

Templates are sandboxed and strict. A value enters JavaScript only through `tojson`.
"""

from __future__ import annotations

import hashlib
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import TemplateError

from inferstack.config import (
    FILE_SUFFIX,
    ModelSpec,
    StackSpec,
    Template,
    WorkerSpec,
    find_file,
    find_template,
    gateway_variable,
    outside_name,
    priced_model,
    prompt_variable,
    provider_variable,
    text_in,
    yaml_values,
)
from inferstack.errors import ConfigError
from inferstack.render import page
from inferstack.render.jinja import templates_in
from inferstack.render.module import Module, Source
from inferstack.render.packages import is_package, package_modules
from inferstack.render.source import imports, read_source
from inferstack.render.thresholds import settled


@dataclass(frozen=True, slots=True)
class RenderedWorker:
    """Modules, the main one first (none for static assets alone), a digest of all of them, the compatibility flags that
    they need, and which files of a `source` they were made of. Static assets are no part of the digest: the API does not
    tell which ones a version has."""

    modules: tuple[Module, ...]
    digest: str
    flags: tuple[str, ...] = ()
    files: frozenset[Path] = frozenset()


def render_worker(spec: StackSpec, key: str, root: Path) -> RenderedWorker:
    """Raises `ConfigError` when the Worker lacks what its template needs."""
    worker = spec.workers[key]
    source = Source(())
    if worker.has_code:
        source = read_source(worker, root) if worker.source else Source(_from_template(spec, key, root))
    template = find_template(worker.template, root) if worker.template else None
    digest = digest_of({module.name: module.content for module in source.modules})
    return RenderedWorker(source.modules, digest, template.flags if template else (), source.files)


def digest_of(modules: dict[str, bytes]) -> str:
    """The same for the same code, whatever it is bound to."""
    named = b"\0".join(name.encode() + b"\0" + modules[name] for name in sorted(modules))
    return hashlib.sha256(named).hexdigest()


def _from_template(spec: StackSpec, key: str, root: Path) -> tuple[Module, ...]:
    worker = spec.workers[key]
    assert worker.template is not None
    template = find_template(worker.template, root)
    if template is None:
        raise ConfigError(f"worker `{key}`: there is no template `{worker.template}`")
    if find_file(f"templates/{worker.template}/worker.js.j2", root) is None:
        raise ConfigError(f"worker `{key}`: template `{worker.template}` has no worker.js.j2 in this project")
    environment = templates_in([f"templates/{worker.template}"], root)
    values = {
        "worker": key,
        "models": {role: _model(spec, alias, root) for role, alias in sorted(_roles(spec, key, template).items())},
        "options": settled(_options(template, worker, root), spec, worker),
        "chats": {role: _is_chat(spec, alias) for role, alias in worker.models.items()},
    }
    try:
        main = environment.get_template("worker.js.j2").render(values)
    except (TemplateError, UnicodeDecodeError, OverflowError, RecursionError) as error:
        raise ConfigError(f"template `{worker.template}` of worker `{key}`: {error}") from None
    return (Module("index.js", main.encode()), *_shared(main, root, worker.template))


def _roles(spec: StackSpec, key: str, template: Template) -> dict[str, str]:
    """Model aliases by role; `beside` is the embedding model of an index that is filled beside the one that answers."""
    worker = spec.workers[key]
    index = spec.besides(key).get(template.reindexes or "")
    beside = spec.indexes[index].beside if index else None
    return {**worker.models, **({"beside": beside.model} if beside else {})}


def _shared(main: str, root: Path, template: str) -> list[Module]:
    """The modules of worker_src/ and of packages that the code imports, and those that they import, by name."""
    found: dict[str, Module] = {}
    left = [Module("index.js", main.encode())]
    while left:
        module = left.pop()
        for name in imports(module.text):
            path = posixpath.normpath(posixpath.join(posixpath.dirname(module.name), name))
            if path == page.MODULE:
                found[path] = page.page_module(template, root)
            elif name.startswith(".") and path not in found:
                file = find_file(f"worker_src/{path}", root)
                if file is None:
                    raise ConfigError(f"there is no worker_src/{path}, which {module.name} imports")
                found[path] = _with_packages(Module(path, file.read_bytes()), found)
                left.append(found[path])
    return [found[name] for name in sorted(found)]


def _with_packages(module: Module, found: dict[str, Module]) -> Module:
    """The module with its imports of packages led to their files, which are added to `found`."""
    text = module.text
    for name in sorted(set(filter(is_package, imports(text)))):
        path, files = package_modules(name, imports)
        found.update({file.name: file for file in files})
        way = posixpath.relpath(path, posixpath.dirname(module.name))
        way = way if way.startswith(".") else f"./{way}"
        text = re.sub(rf"""(\b(?:from\s*|import\s*\(?\s*))(["']){re.escape(name)}\2""", rf"\1\2{way}\2", text)
    return Module(module.name, text.encode())


def _options(template: Template, worker: WorkerSpec, root: Path) -> dict[str, Any]:
    """Defaults, and what the stack file says; `<name>_file` is read as JSON or YAML into `<name>`."""
    given = {name: option.default for name, option in template.options.items()}
    for name, value in worker.options.items():
        plain = name.removesuffix(FILE_SUFFIX)
        if name in template.options:
            given[name] = value
        else:
            try:
                given[plain] = yaml_values((root / value).read_text("utf-8-sig"))
            except (OSError, ValueError) as error:
                raise ConfigError(f"option `{name}`: {value} cannot be read: {str(error).splitlines()[0]}") from None
    return given


def _is_chat(spec: StackSpec, alias: str) -> bool:
    """Whether a model takes messages; those of other providers do."""
    model = spec.model_of(alias)
    return outside_name(spec, alias) is not None or (model is not None and model.task == "Text Generation")


def _model(spec: StackSpec, alias: str, root: Path) -> dict[str, Any]:
    """What a Worker needs to know of a model: how it is called, its parameters, and what to call when it fails."""
    model = spec.models[alias]
    return {
        **_target(spec, alias),
        "system": _system(model, root),
        **({"prompt": prompt_variable(model.prompt)} if model.prompt else {}),
        "max_tokens": model.max_tokens,
        "temperature": model.temperature,
        "fallbacks": [_target(spec, fallback) for fallback in model.fallbacks],
    }


def _target(spec: StackSpec, alias: str) -> dict[str, Any]:
    """`name` for `env.AI.run`; a model behind a route or of another provider has the gateway's `provider/model`.

    `gateway` is the variable with the gateway's id, so that the code is the same in every environment; so is what stands
    in braces, for a provider of the stack's own.
    `price` is US dollars for a million tokens, `json` how the model takes a JSON schema, `calls_a_minute` Cloudflare's
    limit of an account; null where not known.
    """
    declared, model = spec.models[alias], spec.model_of(alias)
    gateway = gateway_variable(declared.gateway) if declared.gateway else None
    provider = (
        f"{{{provider_variable(declared.provider)}}}" if declared.provider in spec.providers else declared.provider
    )
    outside = f"{provider}/{declared.model}" if declared.external else None
    compat = f"dynamic/{declared.route}" if declared.route else outside
    priced = priced_model(spec, alias)
    into, out = (priced.price("M input tokens"), priced.price("M output tokens")) if priced else (None, None)
    price = {"input": into or 0, "output": out or 0} if into or out else None
    json_mode = model.json_mode if model and model.takes_json_schema else None
    limit = model.rate_limit if model else None
    facts = {"price": price, "json": json_mode, "calls_a_minute": limit}
    return {"name": declared.model, "gateway": gateway, "compat": compat, **facts}


def _system(model: ModelSpec, root: Path) -> str | None:
    return text_in(root / model.system_file, root).strip() if model.system_file else model.system
