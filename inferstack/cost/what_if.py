"""The same stack with another model in one role, to be priced beside it."""

from __future__ import annotations

from inferstack import catalog
from inferstack.config import StackSpec, closest, outside_name, priced_model
from inferstack.errors import ConfigError


def what_if(spec: StackSpec, change: str) -> StackSpec:
    """`change` is `ALIAS=MODEL`, or a Worker's role in place of the alias; a route that the alias had is left out.

    Raises `ConfigError` for a role or a model that is not there, and for a model of another task.
    """
    role, sign, name = change.partition("=")
    if not sign or not role or not name:
        raise ConfigError(
            f"`{change[:80]}` names no model for a role\n  fix: such as chat=@cf/meta/llama-3.2-3b-instruct"
        )
    alias = _alias(spec, role)
    before = spec.find_model(spec.models[alias].model) or priced_model(spec, alias)
    changed = _with_model(spec, alias, name)
    after = changed.find_model(name) or priced_model(changed, alias)
    if after is None and outside_name(changed, alias) is None:
        near = closest(name, [*spec.catalog, *catalog.model_names()])
        raise ConfigError(f"there is no model `{name[:80]}`{near}\n  fix: name one of `inferstack models`")
    if before is not None and after is not None and before.task != after.task:
        fix = f"name a model of the task {before.task}"
        raise ConfigError(f"`{name}` does {after.task}, and `{role}` is for {before.task}\n  fix: {fix}")
    return changed


def _alias(spec: StackSpec, role: str) -> str:
    if role in spec.models:
        return role
    found = {worker.models[role] for worker in spec.workers.values() if role in worker.models}
    if len(found) == 1:
        return found.pop()
    if found:
        raise ConfigError(f"Workers have several models as `{role}`\n  fix: name one of {', '.join(sorted(found))}")
    known = [*spec.models, *(name for worker in spec.workers.values() for name in worker.models)]
    fix = f"one of: {', '.join(dict.fromkeys(known)) or 'none; the stack has no models'}"
    raise ConfigError(f"no model has the name or the role `{role[:80]}`{closest(role, known)}\n  fix: {fix}")


def _with_model(spec: StackSpec, alias: str, name: str) -> StackSpec:
    outside = catalog.split_name(name) if name not in spec.catalog else None
    if outside is not None and outside[0] not in spec.providers and not catalog.is_provider(outside[0]):
        outside = None  # a name with a slash that leads nowhere
    update = {"model": name, "provider": "workers-ai", "route": None}
    if outside is not None:
        update = {"model": outside[1], "provider": outside[0], "route": None}
    models = {**spec.models, alias: spec.models[alias].model_copy(update=update)}
    return spec.model_copy(update={"models": models})
