"""docs/templates.md: every template, its endpoints, options, bindings, models, and requests to try."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

from inferstack.clients.curl_samples import curl_lines
from inferstack.config import SERVICE_OPTIONS, Option, Template, find_template, load_stack, template_names
from inferstack.render import Module, render_worker

ROUTE = re.compile(r'method: "(\w+)", path: "([^"]+)", summary: "([^"]+)"')
ROUTES = re.compile(r'import \{[^}]*Routes\b[^}]*\} from "[./\w]*?([\w]+\.js)"')
CODE = re.compile(r'new HttpError\((\d{3}), "(\w+)"')
PORT = 8787
HEAD = """# Templates

A template is a Worker that is rendered from your stack file: `template: chat` under `workers:`. Each has a sample stack of
its own name under `examples/`, which `inferstack up NAME` brings up on the local Cloudflare; the `curl` lines below are for
it, and a test runs each of them. `inferstack add worker NAME --template T` adds one to a stack file of yours.

A template of your own is a folder `templates/NAME` in your project with a `template.yaml` and a `worker.js.j2`; it comes
before one of the same name here, and may import the modules of `worker_src/`, yours or these.

## What all have in common

Callers send `Authorization: Bearer KEY`. The secret `API_TOKEN` holds the key, or several as `name=key,name=key`; the name is
the caller's tenant. With `auth: jwt` callers send a JSON Web Token (RS256 or ES256) of the issuer whose JWKS `jwt` names.

Errors are problem+json (RFC 9457) with a stable `code`: `bad_request` (400, with every violation in `errors`),
`model_refused` (400, the model does not take the input), `unauthorized` (401), `not_found` (404), `method_not_allowed` (405),
`too_large` (413), `context_length_exceeded` (400, more than the model's window), `rate_limited` (429), `spend_limit_reached`
(402, the gateway's), `allocation_used_up` (429, the account's day), `internal` (500), `model_failed` (502), `model_busy` (503,
with `Retry-After`), `guard_failed` (503, the same), `denied_by_policy` (403, the gateway's). What a
gateway's guardrails or data loss prevention refuse is `model_refused`; it goes to no fallback, nor does a call whose guard fails.
The routes under `/v1` answer errors as OpenAI does.

A model that is busy (429, 3040) or fails is tried again up to 4 times with growing, random waits; then its `fallbacks` are.
Streams are passed on as they are made, and a client that goes away stops the model.

Every answer has `x-request-id`; `traceparent` is taken over. One line of JSON in the log tells caller, route, status,
milliseconds, models, tokens and cost in US dollars, and no text of callers. `GET /healthz` and `GET /openapi.json` need no key.
What is stored belongs to the caller's tenant: documents, vectors, images, jobs, conversations and Idempotency-Keys. A caller
without a tenant of text is refused, and a visitor without a key has no conversation.

A binding `RATE_LIMITER` of kind `rate_limit` refuses callers who ask too often.
"""


def templates_page(root: Path) -> str:
    parts = [HEAD, _options(SERVICE_OPTIONS)]
    for name in template_names(root):
        template = find_template(name, root)
        assert template is not None
        parts.append(_section(template, root))
    return "\n".join(parts)


def _section(template: Template, root: Path) -> str:
    spec = load_stack(template.name, root)
    key = next(key for key, worker in spec.workers.items() if worker.template == template.name)
    modules = render_worker(spec, key, root).modules
    lines = [f"## {template.name}", "", template.summary, "", "| endpoint | what it does |", "| --- | --- |"]
    own_modules = _own(modules[0].text, modules)
    routes = [route for module in own_modules for route in ROUTE.findall(module.text)]
    if "embedding" not in (*template.models, *template.optional_models):
        routes = [route for route in routes if route[1] != "/v1/embeddings"]
    lines += [f"| `{method} {path}` | {summary} |" for method, path, summary in routes]
    needed = [f"`{role}`" for role in template.models]
    if template.any_models is not None:
        needed = ["any names, as requests give them"]
    optional = [f"`{role}` (optional)" for role in template.optional_models]
    bindings = [f"`{name}` ({kind})" for name, kind in template.bindings.items()]
    bindings += [f"`{name}` ({kind}, optional)" for name, kind in template.optional_bindings.items()]
    for option, values in template.needs_if.items():
        for value, needs in values.items():
            names = ", ".join(f"`{name}`" for name in (*needs.models, *needs.bindings))
            bindings.append(f"with `{option}: {value}` {names}")
    bindings += [f"`{name}` (Durable Objects of its class `{each}`)" for name, each in template.objects.items()]
    if template.any_bindings:
        bindings.append(f"any that its options name ({', '.join(template.any_bindings)})")
    lines += ["", f"Models: {', '.join([*needed, *optional])}. Bindings: {', '.join(bindings)}."]
    lines += [f"Secrets: {', '.join(f'`{secret}`' for secret in template.secrets)}.", ""]
    codes = {found for module in own_modules for found in CODE.findall(module.text)}
    if codes:
        lines += ["Errors of its own: " + ", ".join(f"`{code}` ({status})" for status, code in sorted(codes)) + ".", ""]
    own = {name: option for name, option in template.options.items() if SERVICE_OPTIONS.get(name) != option}
    lines += [_options(own)] if own else []
    size = sum(len(module.content) for module in modules)
    sample = f"[examples/{template.name}.yaml](../examples/{template.name}.yaml)"
    lines += [f"{len(modules)} modules, {size / 1024:.0f} KiB. Sample: {sample}", ""]
    lines += ["```sh", f"inferstack up {template.name}"]
    lines += [f"{line}   # {about}" for about, line in curl_lines(template, spec, key, PORT)]
    return "\n".join([*lines, "```", ""])


def _own(main: str, modules: tuple[Module, ...]) -> list[Module]:
    """The modules that bring the template's routes: those that the main one imports routes from, and so on."""
    named: set[str] = set()
    left = [main]
    while left:
        new = set(ROUTES.findall(left.pop())) - named - {"service.js"}
        named |= new
        left += [module.text for module in modules if posixpath.basename(module.name) in new]
    return [module for module in modules if posixpath.basename(module.name) in named]


def _options(options: dict[str, Option]) -> str:
    lines = ["| option | default | meaning |", "| --- | --- | --- |"]
    for name, option in options.items():
        lines.append(f"| `{name}` | `{json.dumps(option.default, ensure_ascii=False)}` | {option.about} |")
    return "\n".join([*lines, ""])
