"""AI Gateways: shares that add up, times that Cloudflare takes, guards that find what they look for, keys that are there."""

from __future__ import annotations

import re
from collections.abc import Iterator

from inferstack import catalog
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check(spec: StackSpec, report: Report) -> None:
    for key, provider in spec.providers.items():
        if spec.target == "cloudflare" and not provider.base_url.startswith("https://"):
            problem, fix = f"AI Gateway calls `{provider.base_url}` over https only", "give an https address"
            report("IS100", ("providers", key, "base_url"), problem, fix)
    shortest = catalog.limit("ai_gateway", "cache_ttl")["min_seconds"]
    for key, gateway in spec.gateways.items():
        _check_dlp(spec, key, report)
        _check_keys(spec, key, report)
        if gateway.policies and not any(policy.allows for policy in gateway.policies.values()):
            problem = f"no policy of `{key}` allows a call, and with policies the rest is denied: nobody gets an answer"
            report("IS135", ("gateways", key, "policies"), problem, "add one with `action: allow`, or a `cap`")
        blocking = [name for name, policy in gateway.policies.items() if not policy.allows]
        if blocking and gateway.cache_ttl:
            problem = f"the cache of `{key}` answers before policy `{blocking[0]}` is asked, whoever calls"
            report("IS136", ("gateways", key, "cache_ttl"), problem, "leave the cache out: `cache_ttl: 0`")
        if 0 < gateway.cache_ttl < shortest:
            problem = f"`cache_ttl` is {gateway.cache_ttl} seconds; AI Gateway keeps answers at least {shortest}"
            report("IS069", ("gateways", key, "cache_ttl"), problem, f"give {shortest} or more, or 0 for no cache")
        for name, route in gateway.routes.items():
            total = sum(share.percent for share in route.split)
            if total >= 100:
                problem = f"the shares of `split` add up to {total} % and leave nothing for `models`"
                report("IS043", ("gateways", key, "routes", name, "split"), problem, "let them add up to less than 100")


def _check_dlp(spec: StackSpec, key: str, report: Report) -> None:
    dlp = spec.gateways[key].dlp
    names = [profile.name for profile in catalog.dlp_profiles()]
    for place, name in enumerate(dlp.profiles if dlp else ()):
        if catalog.find_dlp_profile(name) is None and not UUID.fullmatch(name):
            problem = f"`{name}` is neither a profile of Cloudflare's nor an id{closest(name, names)}"
            fix = f"name one of `{'`, `'.join(names)}`, or give the UUID of the account's own"
            report("IS132", ("gateways", key, "dlp", "profiles", place), problem, fix)


def _check_keys(spec: StackSpec, key: str, report: Report) -> None:
    gateway = spec.gateways[key]
    if not gateway.byok_only:
        return
    if gateway.zdr:
        problem = "`zdr` does nothing beside `byok_only`: Cloudflare pays no call"
        report("IS134", ("gateways", key, "zdr"), problem, "leave one of them out")
    for at, alias in _calls(spec, key):
        model = spec.models.get(alias)
        if model is None or not model.external or model.provider in {*gateway.keys, *spec.providers}:
            continue
        problem = f"`{key}` calls no provider without a key of yours, and has none of `{model.provider}`"
        fix = f"add `{model.provider}` under `gateways.{key}.keys`, or leave `byok_only` out"
        report("IS133", at, problem, fix)


def _calls(spec: StackSpec, key: str) -> Iterator[tuple[KeyPath, str]]:
    """Where models go through a gateway: their own `gateway`, and its routes."""
    for alias, model in spec.models.items():
        if model.gateway == key:
            yield ("models", alias, "gateway"), alias
    for name, route in spec.gateways[key].routes.items():
        for place, alias in route.aliases():
            yield ("gateways", key, "routes", name, *place), alias
