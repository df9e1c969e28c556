"""What a load test sends and where to: from the command line, or what the Worker's template is for."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

from inferstack import local
from inferstack.config import StackSpec, caller_secret, lacking, load_stack, priced_model, usual_request, usual_worker
from inferstack.engine.account import not_running
from inferstack.engine.addresses import addresses_of
from inferstack.engine.environment import local_host, local_settings
from inferstack.errors import ConfigError, UserError
from inferstack.resources.secret_sources import SecretMissing, read_secret

REQUEST = re.compile(r"(GET|POST|PUT|DELETE) (/\S*)\Z")
PROMPT_TOKENS = 8000  # of a request at most, where money is at stake: what retrieval puts before a question, and more


@dataclass(frozen=True, slots=True)
class Asked:
    """One request, sent again and again."""

    worker: str
    method: str
    url: str
    body: bytes | None
    headers: dict[str, str]

    @property
    def shown(self) -> str:
        return f"{self.worker}: {self.method} {self.url}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line says; all of it may be left out."""

    worker: str | None = None
    request: str | None = None
    body: str | None = None  # JSON, or @FILE
    secret: str | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Door:
    """A Worker, where it answers, and as whom it is asked."""

    worker: str
    base: str
    headers: dict[str, str]

    def asked(self, method: str, path: str, body: bytes | None) -> Asked:
        kind = {"content-type": "application/json"} if body is not None else {}
        return Asked(self.worker, method, self.base + path, body, {**self.headers, **kind})


def door(spec: StackSpec, stack: str, root: Path, wish: Wish) -> Door:
    """Raises `ConfigError` for a Worker or a secret that is not there, `UserError` where nothing answers."""
    key = _worker(spec, stack, wish.worker)
    headers = _key(spec, root, key, wish.secret)
    base, host = _where(spec, root, key, wish.url)
    return Door(key, base, headers | host)


def asked(stack: str, root: Path, wish: Wish) -> tuple[StackSpec, Asked]:
    """Raises `ConfigError` for what cannot be sent, `UserError` where nothing answers."""
    spec = load_stack(stack, root)
    key = _worker(spec, stack, wish.worker)
    text, body = usual_request(spec, key) if not wish.request else ("", None)
    parts = REQUEST.match(wish.request or text)
    if parts is None:
        what = f"`{wish.request}` is no request" if wish.request else f"it is not known what `{key}` answers"
        raise ConfigError(f'{what}\n  fix: --request "POST /path", and --body with its JSON')
    content = _content(wish.body) if wish.body is not None else None
    if content is None and body is not None:
        content = json.dumps(body).encode()
    return spec, door(spec, stack, root, wish).asked(parts[1], parts[2], content)


def most_requests(spec: StackSpec, key: str, budget: float) -> int:
    """How many requests a budget in USD pays for at the dearest. Raises `ConfigError` where a price is not known."""
    dearest = 0.0
    for alias in spec.workers[key].models.values():
        model = priced_model(spec, alias) if alias in spec.models else None
        into = model.price("M input tokens") if model else None
        if model is None or into is None:
            fix = "give its price under `prices:`; what cannot be counted is not spent"
            raise ConfigError(f"what the model `{alias}` costs is not known\n  fix: {fix}")
        out = model.price("M output tokens") or 0.0
        dearest += into * PROMPT_TOKENS / 1e6 + out * spec.models[alias].max_tokens / 1e6
    return math.floor(budget / dearest) if dearest else 2**31


def _worker(spec: StackSpec, stack: str, name: str | None) -> str:
    if name is not None and name not in spec.workers:
        raise ConfigError(lacking(f"stack `{stack}`", "Worker", name, spec.workers))
    key = name or usual_worker(spec)
    if not key:
        raise ConfigError(f"stack `{stack}` has no Worker\n  fix: declare one under `workers:`")
    return key


def _content(text: str) -> bytes:
    try:
        content = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
        json.loads(content)
    except OSError as error:
        raise ConfigError(f"{text[1:]} cannot be read: {error.strerror}\n  fix: --body @FILE names a file") from None
    except ValueError as error:
        raise ConfigError(f'the body is no JSON: {error}\n  fix: --body \'{{"question": "…"}}\', or @FILE') from None
    return content


def _where(spec: StackSpec, root: Path, key: str, url: str | None) -> tuple[str, dict[str, str]]:
    """Scheme, host and port, with the Host header that a name under localhost needs."""
    if spec.target != "local":
        url = url or addresses_of(spec, root).get(key)
        if not url:
            raise ConfigError(
                "the Worker's address is not known\n  fix: --url https://…, or a domain in the stack file"
            )
        return url.rstrip("/"), {}
    if url:
        raise ConfigError("--url is for stacks on Cloudflare: a local Worker's address is known")
    running = local.find(local_settings(spec, root).folder)
    if running is None:
        raise not_running(spec, root)
    return f"http://127.0.0.1:{running.port}", {"host": f"{local_host(spec, key)}:{running.port}"}


def _key(spec: StackSpec, root: Path, key: str, secret: str | None) -> dict[str, str]:
    """By the secret that is named, or by one whose name says that it lets callers in."""
    secrets = spec.workers[key].secrets
    name = caller_secret(spec, key, secret)
    if name is None:
        return {}
    if name not in secrets:
        raise ConfigError(f"`{key}` has no secret `{name}`\n  fix: one of: {', '.join(secrets) or 'none is declared'}")
    source = spec.source_of(secrets[name])
    if source is None:
        raise ConfigError(f"the secret `{name}` stands in the account's store alone, and cannot be read here")
    try:
        return {"authorization": f"Bearer {read_secret(source, root)}"}
    except SecretMissing as missing:
        raise UserError(str(missing)) from None
