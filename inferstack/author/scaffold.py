"""`inferstack add stack`: a new stack file that passes `check`, on what the project has."""

from __future__ import annotations

import re
from pathlib import Path

from inferstack.config import check_stack, find_template, plain, stack_names
from inferstack.errors import ConfigError

NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?")
ACCOUNT = re.compile(r"[0-9a-f]{32}")
SCHEMA_LINE = "# yaml-language-server: $schema=../docs/stack.schema.json"


def init(name: str, root: Path, target: str, account: str | None, base: str | None) -> str:
    """Write `stacks/<name>.yaml`; returns its path from the project. Raises `ConfigError` and writes nothing then."""
    file = root / "stacks" / f"{name}.yaml"
    if not NAME.fullmatch(name) or name == "base":
        fix = "use lower-case letters, digits and dashes, such as `staging`"
        raise ConfigError(f"`{name}` cannot be the name of a stack\n  fix: {fix}")
    if name in stack_names(root) or file.exists():
        raise ConfigError(f"there is a stack `{name}` already\n  fix: choose another name, or edit stacks/{name}.yaml")
    if account is not None and not ACCOUNT.fullmatch(account):
        raise ConfigError(f"`{account}` is no account id\n  fix: 32 hexadecimal digits; `wrangler whoami` shows it")
    if base is None and (root / "stacks" / "base.yaml").is_file():
        base = "base.yaml"
    lines = [SCHEMA_LINE, *([f"extends: {base}"] if base else []), "", f"environment: {name}", f"target: {target}"]
    if target == "cloudflare":
        lines += [f'account: "{account}"' if account else "account: ${CLOUDFLARE_ACCOUNT_ID}"]
    text = "\n".join(lines) + "\n"
    try:
        file.write_text(text)
        file.write_text(text + _secrets(name, root, target))
        wrong = [f for f in check_stack(name, root).findings if f.severity == "error" and f.code != "IS018"]
        if wrong:
            raise ConfigError(f"{wrong[0].message}\n  fix: {wrong[0].fix}")
    except BaseException:
        file.unlink(missing_ok=True)
        raise
    return f"stacks/{name}.yaml"


def _secrets(name: str, root: Path, target: str) -> str:
    """References for the secrets that the templates of the Workers need and the base does not give."""
    tree = check_stack(name, root).tree
    workers = plain(tree).get("workers", {}) if tree else {}
    wanted: dict[str, list[str]] = {}
    for key, worker in workers.items():
        template = find_template(str(worker.get("template")), root)
        missing = [secret for secret in template.secrets if secret not in worker.get("secrets", {})] if template else []
        if missing:
            wanted[key] = missing
    if not wanted:
        return ""
    lines = ["", "workers:"]
    for worker, secrets in wanted.items():
        lines += [f"  {worker}:", "    secrets:"]
        for secret in secrets:
            made = f"file:.inferstack/secrets/{name}-{secret.lower().replace('_', '-')}   # made on first use"
            lines.append(f"      {secret}: {made if target == 'local' else f'env:{worker.upper()}_{secret}'}")
    return "\n".join(lines) + "\n"
