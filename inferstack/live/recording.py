"""`inferstack record`: real answers of models, kept as files beside the stacks, for tests and demonstrations without them."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

from inferstack import local
from inferstack.config import load_stack
from inferstack.engine.environment import local_settings
from inferstack.engine.runs import ensure_cloudflare, say
from inferstack.errors import ConfigError

API = "https://api.cloudflare.com/client/v4"
LOOK_SECONDS = 0.5


def record(name: str, root: Path) -> int:
    """Until Ctrl-C; how many inferences were kept. Raises `ConfigError` when there is nobody to record."""
    spec = load_stack(name, root)
    if spec.target != "local":
        raise ConfigError(f"`{name}` has `target: {spec.target}`; a local stack's inferences are recorded")
    account = None if spec.local.text_server or spec.local.text else _account(os.environ)
    folder = local_settings(spec, root).folder
    running = ensure_cloudflare(spec, root)
    if running is None:
        raise ConfigError(f"`{name}` has no local Cloudflare")
    of = spec.local.text_server or spec.local.text or f"account {account['account_id'][:8] if account else ''}…"
    local.use_recordings(folder, running, "record", account)
    say(f"recording {of} into {local.recordings_folder(folder)}: use your Workers now; Ctrl-C ends it")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return _wait(folder, running)
    finally:
        local.use_recordings(folder, running, spec.local.replay)


def _account(environment: os._Environ[str]) -> dict[str, str]:
    names = {"account_id": "CLOUDFLARE_ACCOUNT_ID", "token": "CLOUDFLARE_API_TOKEN"}
    found = {field: environment.get(name, "") for field, name in names.items()}
    if not all(found.values()):
        text = "there is nobody to record: no account in the environment, and no `text_server` in the stack's `local:`"
        raise ConfigError(f"{text}\n  fix: export {' and '.join(names.values())}, or say `text_server:`")
    return found | {"base_url": environment.get("CLOUDFLARE_BASE_URL") or API}


def _wait(folder: Path, running: local.Running) -> int:
    kept = 0
    try:
        while True:
            time.sleep(LOOK_SECONDS)
            now = int(str(local.recordings(folder, running)["recorded"]))
            if now > kept:
                say(f"{now} recorded")
                kept = now
    except KeyboardInterrupt:
        return int(str(local.recordings(folder, running)["recorded"]))
