"""`inferstack gateway test`: how a call of a model would go through its gateway, told from the stack file alone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from inferstack import catalog
from inferstack.author.gateway_ways import Way, ways
from inferstack.config import GatewaySpec, ModelTraffic, StackSpec, closest, outside_name, policy_inputs
from inferstack.cost.model_costs import call_usd
from inferstack.errors import ConfigError
from inferstack.local.ai.hazards import hazards_in, is_injection
from inferstack.local.ai_gateway.dlp import Policy as DlpPolicy
from inferstack.local.ai_gateway.dlp import scan
from inferstack.local.ai_gateway.policies import decide

Step = dict[str, Any]
MOST_METADATA = 5  # facts `limits.json`
CALLER = "caller"  # how templates name who asks
ASSUMED = ModelTraffic(requests=1, input_tokens=1000, output_tokens=500)


@dataclass(frozen=True, slots=True)
class Call:
    """What is asked: a model by its alias, with metadata, and the prompt where one is given."""

    alias: str
    metadata: dict[str, str]
    prompt: str | None = None


def read_call(alias: str, user: str | None, pairs: list[str], prompt: str | None) -> Call:
    """From the command's words. Raises `ConfigError`."""
    metadata = {CALLER: user} if user else {}
    if user and any(pair.startswith(f"{CALLER}=") for pair in pairs):
        raise ConfigError(f"`--as` and `--metadata {CALLER}=` say the same\n  fix: leave one of them out")
    for pair in pairs:
        name, sign, value = pair.partition("=")
        if not sign or not name:
            raise ConfigError(f"`--metadata {pair}` is no NAME=VALUE\n  fix: write it as `--metadata plan=free`")
        metadata[name] = value
    if len(metadata) > MOST_METADATA:
        text = f"{len(metadata)} entries of metadata: AI Gateway takes {MOST_METADATA}"
        raise ConfigError(f"{text}\n  fix: leave some out; `--as` is one of them")
    return Call(alias, metadata, prompt)


def tested(stack: str, spec: StackSpec, call: Call) -> dict[str, Any]:
    """As `GatewayTest` of the published results. Raises `ConfigError`."""
    if call.alias not in spec.models:
        near = closest(call.alias, spec.models)
        known = ", ".join(spec.models) or "none"
        raise ConfigError(f"stack `{stack}` has no model `{call.alias}`{near}\n  fix: one of: {known}")
    declared = spec.models[call.alias]
    gateway = spec.gateways.get(declared.gateway or "")
    found = ways(spec, call.alias, call.metadata)
    text = None if call.prompt is None else "\n".join([declared.system or "", call.prompt])  # guards read both
    steps = [*(_before(gateway, call, text) if gateway else ()), *found.steps, *(_behind(gateway) if gateway else ())]
    traffic = spec.expect.models.get(call.alias)
    answers = [_answer(spec, declared.gateway, way, traffic or ASSUMED) for way in found.ways]
    if gateway is not None and gateway.policies:
        for each in answers:
            each["refusal"] = each["refusal"] or _denied(gateway, call, each)
    refusal = next((step["refusal"] for step in steps if step["outcome"] == "refuses"), None)
    able = [each for each in answers if each["refusal"] is None and each["when"] != "above a limit"]
    first = [each["alias"] for each in able if each["when"] == "first"] or [each["alias"] for each in able[:1]]
    if refusal is None and not first:
        refusal = next((each["refusal"] for each in answers if each["when"] != "above a limit"), None)
    counted = traffic or ASSUMED
    return {
        "version": 1,
        "stack": stack,
        "model": call.alias,
        "metadata": call.metadata,
        "gateway": declared.gateway if gateway else None,
        "gateway_id": spec.physical(str(declared.gateway)) if gateway else None,
        "route": declared.route if gateway else None,
        "steps": steps,
        "answers": answers,
        "answered_by": [] if refusal else first,
        "refusal": refusal,
        "priced_for": {"input": counted.input_tokens, "output": counted.output_tokens, "assumed": traffic is None},
    }


def _denied(gateway: GatewaySpec, call: Call, answer: dict[str, Any]) -> dict[str, int] | None:
    """By the gateway's policies, before anything is spent. Who asks is also the user of Cloudflare Access."""
    live = [{"name": name, **policy_inputs(policy)} for name, policy in gateway.policies.items()]
    user = call.metadata.get(CALLER)
    identity = {"metadata": call.metadata} | ({"cf": {"user": {"email": user, "id": user}}} if user else {})
    found = decide(live, answer["provider"], answer["model"], identity, lambda _: 0.0)
    return None if found.allowed else {"status": 403, "code": 403}


def step(what: str, outcome: str, detail: str, status: int = 0, code: int = 0) -> Step:
    """`status` 0: it refuses nothing."""
    refusal = {"status": status, "code": code} if status else None
    return {"what": what, "outcome": outcome, "detail": detail, "refusal": refusal}


def _before(gateway: GatewaySpec, call: Call, text: str | None) -> Iterator[Step]:
    """What stands before the models, in the gateway's order."""
    if gateway.authentication:
        detail = "the stack's Workers have none to send and need none; others send `cf-aig-authorization`"
        yield step("account's token", "passes", detail, 401, 2009)
    limit = gateway.rate_limit
    if limit:
        detail = f"{limit.limit} requests in {limit.interval} s, {limit.technique}"
        yield step("rate limit", "depends", detail, 429, 2003)
    if gateway.cache_ttl:
        yield step(
            "cache",
            "depends",
            f"the same call again within {gateway.cache_ttl} s is answered by it, and goes no further",
        )
    for spend in gateway.spend_limits:
        only = ", ".join([*spend.models, *spend.providers])
        whose = f", for each `{spend.per}`, here `{call.metadata.get(spend.per, 'none')}`" if spend.per else ""
        detail = f"{spend.usd:g} USD in {spend.interval} s{whose}{f', of {only}' if only else ''}"
        yield step("spend limit", "depends", detail, 429, 2003)
    if gateway.dlp:
        yield _lost(gateway, text)
    if gateway.guardrails and gateway.guardrails.prompt:
        yield _judged(gateway.guardrails.prompt, text)


def _lost(gateway: GatewaySpec, prompt: str | None) -> Step:
    dlp = gateway.dlp
    assert dlp is not None
    known = [catalog.find_dlp_profile(name) for name in dlp.profiles]
    names = [profile.name if profile else name for profile, name in zip(known, dlp.profiles, strict=True)]
    refusal = (400, 2029) if dlp.action == "BLOCK" else (0, 0)
    unknown = [name for profile, name in zip(known, names, strict=True) if not (profile and profile.entries)]
    beyond = f"; only Cloudflare finds: {', '.join(unknown)}" if unknown else ""
    if prompt is None:
        return step("data loss prevention", "depends", f"{dlp.action}: {', '.join(names)}{beyond}", *refusal)
    ids = tuple(profile.id for profile in known if profile)
    action, findings = scan([DlpPolicy("", dlp.action, ("REQUEST",), ids)], prompt, "REQUEST")
    hits = {identifier for finding in findings for identifier in finding["profile"]["entry_ids"]}
    found = [name for profile in known if profile for name, entry in profile.entries.items() if entry in hits]
    outcome = {"BLOCK": "refuses", "FLAG": "flags"}.get(action, "passes")
    return step("data loss prevention", outcome, f"{', '.join(found) or 'nothing found'}{beyond}", *refusal)


def _judged(rules: Mapping[Any, str], prompt: str | None) -> Step:
    refusal = (424, 2016) if "BLOCK" in rules.values() else (0, 0)
    told = ", ".join(f"{code} {action}" for code, action in rules.items())
    if prompt is None:
        return step("guardrails, prompt", "depends", told, *refusal)
    codes = {*hazards_in(prompt), *(["P1"] if is_injection(prompt) else [])} & set(rules)
    outcome = "refuses" if any(rules[code] == "BLOCK" for code in codes) else "flags" if codes else "passes"
    hits = ", ".join(f"{code} {rules[code]}" for code in rules if code in codes)
    return step("guardrails, prompt", outcome, hits or f"nothing of {', '.join(rules)}, by the local guard", *refusal)


def _behind(gateway: GatewaySpec) -> Iterator[Step]:
    if gateway.dlp:
        refusal = (400, 2030) if gateway.dlp.action == "BLOCK" else (0, 0)
        yield step(
            "data loss prevention, answer",
            "depends",
            f"{gateway.dlp.action}; a stream is held until it is whole",
            *refusal,
        )
    rules = gateway.guardrails.response if gateway.guardrails else {}
    if rules:
        refusal = (424, 2017) if "BLOCK" in rules.values() else (0, 0)
        yield step("guardrails, answer", "depends", ", ".join(f"{code} {do}" for code, do in rules.items()), *refusal)


def _answer(spec: StackSpec, key: str | None, way: Way, traffic: ModelTraffic) -> dict[str, Any]:
    declared, outside = spec.models[way.alias], outside_name(spec, way.alias)
    named, here, refusal = _key(spec, spec.gateways.get(key or ""), way.alias)
    provider, model = outside or ("workers-ai", declared.model)
    usd = call_usd(spec, key, way.alias, traffic)
    shown: dict[str, Any] = {"alias": way.alias, "provider": provider, "model": model, "when": way.when}
    return shown | {"part": way.part, "key": named, "here": here, "refusal": refusal, "usd": usd}


def _key(spec: StackSpec, gateway: GatewaySpec | None, alias: str) -> tuple[str, bool | None, dict[str, int] | None]:
    """The provider's key: what it is, whether its variable is set here, and how a call without it is refused."""
    declared, outside = spec.models[alias], outside_name(spec, alias)
    if outside is None:
        return "not needed", None, None
    kept = gateway.keys.get(outside[0]) if gateway else None
    if kept is not None:
        kind, _, name = kept.secret.partition(":")
        return "kept", name in os.environ if kind == "env" else None, None
    if declared.provider in spec.providers:
        return "not needed", None, None
    if gateway is not None and gateway.byok_only:
        return "missing", None, {"status": 400, "code": 2009}
    if not declared.external:
        return "paid by credits", None, None
    return "missing", None, {"status": 401, "code": 2009}
