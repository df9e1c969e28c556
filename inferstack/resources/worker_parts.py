"""Workers: what `workers:` in a stack file becomes: a shell, an immutable version, and its deployment."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pulumi

from inferstack.asset_files import STAGED, stage_served
from inferstack.config import (
    EmailBindingSpec,
    RateLimitBindingSpec,
    SmokeSpec,
    StackSpec,
    WorkerSpec,
    seconds,
)
from inferstack.resources.callers import caller_token
from inferstack.resources.context import Context
from inferstack.resources.durable_objects import object_bindings, object_migrations
from inferstack.resources.observed import observed
from inferstack.resources.official import Worker as CloudflareWorker
from inferstack.resources.official import (
    WorkersCronTrigger,
    WorkersCustomDomain,
    WorkersDeployment,
    WorkersRoute,
    WorkerVersion,
)
from inferstack.resources.own import SmokeCheck, WorkerRollout
from inferstack.resources.rollout_suites import inputs_of, seconds_of, suites_of
from inferstack.resources.workflow_parts import add_workflows, workflow_bindings

# `resolve(kind, key)` gives the binding's fields for what a stack file names.
Resolve = Callable[[str, str], dict[str, Any]]
CHECK_SECONDS = 1800  # what the checks of a rollout may take beside its holds


def _rate_limit(worker: str, binding: str, spec: RateLimitBindingSpec) -> dict[str, Any]:
    """`namespaceId` is a number of one's own choice that tells counters of an account apart."""
    number = int.from_bytes(hashlib.sha256(f"{worker}/{binding}".encode()).digest()[:4], "big")
    simple = {"limit": spec.requests, "period": spec.seconds}
    return {"type": "ratelimit", "namespaceId": str(number), "simple": simple}


def _email(spec: EmailBindingSpec | bool) -> dict[str, Any]:
    lists = spec if isinstance(spec, EmailBindingSpec) else EmailBindingSpec()
    given = {"allowedDestinationAddresses": lists.to, "allowedSenderAddresses": lists.senders}
    return {"type": "send_email", **{name: sorted(addresses) for name, addresses in given.items() if addresses}}


def _variable(value: Any) -> dict[str, Any]:
    return (
        {"type": "plain_text", "text": value} if isinstance(value, str) else {"type": "json", "json": json.dumps(value)}
    )


def _limits(spec: WorkerSpec) -> dict[str, int] | None:
    given = {"cpuMs": spec.cpu_ms, "subrequests": spec.subrequests}
    return {name: value for name, value in given.items() if value is not None} or None


def _placement(spec: WorkerSpec) -> dict[str, str] | None:
    if spec.placement is None:
        return None
    return {"mode": "smart"} if spec.placement == "smart" else spec.placement.given


def _tail_consumers(stack: StackSpec, spec: WorkerSpec) -> list[dict[str, str]] | None:
    """Sorted: the API has them as a set."""
    return [{"name": name} for name in sorted(stack.name_of("workers", key) for key in spec.tail_consumers)] or None


def _assets(stack: StackSpec, key: str) -> dict[str, Any] | None:
    """The provider reads the folder itself, from the project's on: the path is the same on every machine.

    It uploads all that is in it; where something is not to be served, it gets a folder without that.
    """
    spec = stack.workers[key]
    if spec.assets is None:
        return None
    directory = spec.assets.directory
    if spec.assets.site is None:
        with contextlib.suppress(OSError):  # the provider says what cannot be read
            staged = stage_served(Path(directory), STAGED / stack.name_of("workers", key))
            directory = directory if staged == Path(directory) else staged.as_posix()
    names = {"html_handling": "htmlHandling", "not_found_handling": "notFoundHandling"}
    config = {names.get(name, "runWorkerFirst"): value for name, value in spec.assets.config.items()}
    return {"directory": directory, **({"config": config} if config else {})}


def _local_door(stack: StackSpec, spec: WorkerSpec) -> dict[str, Any]:
    """A Worker that has domains or routes instead of workers.dev: no name server leads to them here, and so it keeps both."""
    raw = spec.raw.worker.get("subdomain")
    return {"subdomain": {**raw, "enabled": True}} if stack.target == "local" and raw else {}


def _judged(key: str, spec: StackSpec) -> dict[str, Any]:
    """What policies ask about a Worker; a policy pack sees no stack file."""
    worker = spec.workers[key]
    models = {alias: spec.models[alias] for alias in worker.models.values() if alias in spec.models}
    external = {alias: model.model for alias, model in models.items() if model.external}
    gateways = sorted({model.gateway for model in models.values() if model.gateway})
    return {"public": worker.public, "tenants": worker.has_tenants, "gateways": gateways, "externalModels": external}


class Worker(pulumi.ComponentResource):
    """A Worker that serves its newest version."""

    name: str
    deployment: pulumi.Resource

    def __init__(
        self, key: str, context: Context, resolve: Resolve, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = context.spec.workers[key]
        super().__init__("inferstack:index:Worker", key, {}, opts)
        self.name = context.spec.name_of("workers", key)
        child = pulumi.ResourceOptions(parent=self)
        shell = CloudflareWorker(
            key,
            {
                "accountId": context.account_id,
                "name": self.name,
                "observability": observed(spec, lambda name: resolve("destination", name)["slug"]),
                "subdomain": {"enabled": True, "previewsEnabled": False},
                "tailConsumers": _tail_consumers(context.spec, spec),
                "logpush": spec.logpush or None,
                "tags": sorted({f"environment:{context.spec.environment}", *context.spec.tags}),
                **spec.raw.worker,
                **_local_door(context.spec, spec),
            },
            child,
        )
        version = self._add_version(key, context, shell, resolve)
        self.deployment = self._deploy(key, context, version)
        add_workflows(key, context, self, self.deployment)
        self._add_triggers(key, context)
        self._add_smoke_checks(key, context, version)
        self.register_outputs({"name": self.name, **_judged(key, context.spec)})

    def _deploy(self, key: str, context: Context, version: WorkerVersion) -> pulumi.Resource:
        """The version goes live: at once, or step by step."""
        spec = context.spec.workers[key]
        named = {"accountId": context.account_id, "scriptName": self.name}
        if spec.rollout is None:
            versions = [{"versionId": version.id, "percentage": 100}]
            inputs = {**named, "strategy": "percentage", "versions": versions, **spec.raw.deployment}
            return WorkersDeployment(f"{key}-deployment", inputs, pulumi.ResourceOptions(parent=self))
        rollout, abort, suites = spec.rollout, spec.rollout.abort_on, suites_of(key, context)
        own = [] if spec.source and rollout.evals else [SmokeSpec(request="GET /healthz")]
        checks = rollout.checks or spec.smoke or own
        limits: dict[str, Any] = {"smoke": abort.smoke, "errorRate": abort.error_rate}
        inputs = {
            **named,
            "versionId": version.id,
            "steps": rollout.steps,
            "holdSeconds": seconds(rollout.hold),
            "checks": self._checks(key, context, checks),
            **({"suites": inputs_of(key, context, suites)} if suites else {}),
            "abortOn": {**limits, **({"p95Seconds": seconds(abort.p95)} if abort.p95 else {})},
            **self._place(spec, context),
        }
        longest = f"{rollout.seconds + CHECK_SECONDS + seconds_of(suites, len(rollout.steps)):.0f}s"
        timeouts = pulumi.CustomTimeouts(create=longest, update=longest)
        options = pulumi.ResourceOptions(parent=self, custom_timeouts=timeouts)
        return WorkerRollout(f"{key}-rollout", inputs, options)

    def _add_version(self, key: str, context: Context, shell: CloudflareWorker, resolve: Resolve) -> WorkerVersion:
        from inferstack.render import render_worker  # Jinja2 costs 60 ms; the first resources need not wait for it

        spec = context.spec.workers[key]
        rendered = render_worker(context.spec, key, context.root)
        modules = [
            {
                "name": module.name,
                "contentType": module.content_type,
                "contentBase64": base64.b64encode(module.content).decode(),
            }
            for module in rendered.modules
        ]
        inputs = {
            "accountId": context.account_id,
            "workerId": shell.id,
            "mainModule": rendered.modules[0].name if rendered.modules else None,
            "modules": modules or None,
            "assets": _assets(context.spec, key),
            "bindings": self._bindings(key, context, resolve),
            "compatibilityDate": spec.compatibility_date,
            "compatibilityFlags": sorted({*spec.compatibility_flags, *rendered.flags}),
            "limits": _limits(spec),
            "placement": _placement(spec),
            **spec.raw.version,
        }
        migrations = object_migrations(key, context, inputs, self, shell)
        if migrations is not None:
            inputs["migrations"] = migrations
        return WorkerVersion(f"{key}-version", inputs, pulumi.ResourceOptions(parent=self, hide_diffs=["modules"]))

    def _add_triggers(self, key: str, context: Context) -> None:
        """What calls the Worker, once it is deployed."""
        spec, account = context.spec.workers[key], context.account_id
        after = pulumi.ResourceOptions(parent=self, depends_on=[self.deployment])
        if spec.crons:
            schedules = [{"cron": cron} for cron in spec.crons]
            trigger = {"accountId": account, "scriptName": self.name, "schedules": schedules}
            WorkersCronTrigger(f"{key}-crons", trigger, after)
        for route in spec.routes:
            WorkersRoute(
                f"{key}-{route.pattern}", {"zoneId": route.zone, "pattern": route.pattern, "script": self.name}, after
            )
        for domain in spec.domains:
            hostname = {"accountId": account, "hostname": domain.hostname, "service": self.name, "zoneId": domain.zone}
            WorkersCustomDomain(f"{key}-{domain.hostname}", hostname, after)

    def _add_smoke_checks(self, key: str, context: Context, version: WorkerVersion) -> None:
        """Requests that the version must answer once it is live."""
        spec = context.spec.workers[key]
        if not spec.smoke or spec.rollout is not None:
            return
        checks = self._checks(key, context, spec.smoke)
        inputs = {"accountId": context.account_id, "scriptName": self.name, "versionId": version.id, "checks": checks}
        after = pulumi.ResourceOptions(parent=self, depends_on=[self.deployment])
        SmokeCheck(f"{key}-smoke", {**inputs, **self._place(spec, context)}, after)

    def _place(self, spec: WorkerSpec, context: Context) -> dict[str, str]:
        """Where checks find the Worker; workers.dev needs no word."""
        if context.spec.target == "local":
            return {"localAddress": context.local_address()}
        return {"hostname": spec.domains[0].hostname} if spec.domains else {}

    def _checks(self, key: str, context: Context, wanted: list[SmokeSpec]) -> list[dict[str, Any]]:
        found = []
        for smoke in wanted:
            method, path = smoke.request.split(" ", 1)
            token = caller_token(context, key, smoke.token, f"check `{smoke.request}`")
            body = None if smoke.body is None else json.dumps(smoke.body)
            one = {"method": method, "path": path, "status": smoke.status, "contains": smoke.contains}
            within = seconds(smoke.within) if smoke.within else None
            given = {**one, "body": body, "token": token, "stream": smoke.stream or None, "within": within}
            found.append({name: value for name, value in given.items() if value is not None})
        return found

    def _bindings(self, key: str, context: Context, resolve: Resolve) -> list[dict[str, Any]]:
        """Sorted by name: the API gives them back so, and another order would look like a change."""
        spec = context.spec.workers[key]
        found: list[dict[str, Any]] = []
        for name, binding in spec.bindings.items():
            kind = binding.kind
            if binding.prompt is not None:
                continue
            if binding.rate_limit is not None:
                found.append({"name": name, **_rate_limit(self.name, name, binding.rate_limit)})
                continue
            if binding.email:
                found.append({"name": name, **_email(binding.email)})
                continue
            entrypoint = {"entrypoint": binding.entrypoint} if binding.entrypoint else {}
            # As text, so that the provider leaves its keys as they are.
            props = {"props": json.dumps(binding.props)} if binding.props is not None else {}
            found.append({"name": name, **resolve(kind, str(getattr(binding, kind))), **entrypoint, **props})
        if spec.assets is not None and spec.assets.binding is not None:
            found.append({"name": spec.assets.binding, "type": "assets"})
        found += object_bindings(context.spec, key) + workflow_bindings(context.spec, key)
        for name, value in context.spec.prompt_values(key, context.root).items():
            found.append({"name": name, "type": "json", "json": json.dumps(value, ensure_ascii=False)})
        for name, index in context.spec.besides(key).items():
            found.append({"name": f"{name}_BESIDE", **resolve("beside", index)})
        found += [{"name": name, **_variable(value)} for name, value in context.spec.variables_of(key).items()]
        for name, reference in spec.secrets.items():
            if reference.startswith("store:"):
                found.append({"name": name, **resolve("secret", reference.removeprefix("store:"))})
                continue
            text = context.secret(reference, f"worker `{key}`, secret `{name}`")
            found.append({"name": name, "type": "secret_text", "text": text})
        return sorted(found, key=lambda binding: str(binding["name"]))
