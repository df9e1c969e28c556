"""`inferstack init`: a project that is whole in itself and fit for git, with a Worker and a local stack that comes up."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from inferstack import __version__
from inferstack.author.add import add
from inferstack.author.agent_files import FOR_AGENTS
from inferstack.author.scaffold import init
from inferstack.config import closest, find_template, template_names
from inferstack.errors import ConfigError
from inferstack.shipped import HOME

STACK = "dev"
SCHEMA = "docs/stack.schema.json"
BASE = """# yaml-language-server: $schema=../docs/stack.schema.json
# What every environment of this project has in common. `inferstack add worker NAME --template T` adds to it.

models: {}
"""
IGNORED = (".venv/", ".inferstack/", "node_modules/", "__pycache__/", f"Pulumi.{STACK}.yaml")
PROGRAM = """name: {name}
description: AI inference on Cloudflare from YAML stack files
runtime: python
"""
README = """# {name}

AI inference on Cloudflare, as Pulumi stacks from `stacks/*.yaml`, by inferstack {version}.

Once on each machine:

```sh
python3 -m venv .venv && . .venv/bin/activate && pip install -r requirements-dev.txt
inferstack setup
```

Then, without an account and without cost, on a local Cloudflare:

```sh
inferstack up dev          # create or change it
inferstack preview dev     # what `up` would change
inferstack down dev        # destroy it
```

For Cloudflare: `inferstack add stack prod --target cloudflare`, then `inferstack check prod`, `preview prod`, `up prod`.
Pipelines for GitHub or GitLab: `inferstack gitops github`. `pulumi up -s dev` works as well, after
`eval "$(inferstack env dev)"`.

`stacks/` has what runs: `base.yaml` for all environments, one file more for each. `migrations/` are the databases' own.
Secrets stand in none of these files, only where they come from. `inferstack explain CODE` tells more of a finding.
"""


def templates() -> list[str]:
    return [name for name in template_names(HOME) if name != "gitops"]


def create(folder: Path, template: str, shown: Path) -> str:
    """What to do next. Raises `ConfigError`, and writes nothing, when something of a project is there."""
    if template not in templates():
        near = closest(template, templates())
        raise ConfigError(f"there is no template `{template}`{near}\n  fix: one of: {', '.join(templates())}")
    folder = folder.resolve()
    files = _files(folder, template)
    _refuse_if_taken(folder, files)
    written: list[Path] = []
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        for path, text in files.items():
            file = folder / path
            if path in MERGED and file.exists():
                continue
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            written.append(file)
        init(STACK, folder, "local", None, None)
        written.append(folder / "stacks" / f"{STACK}.yaml")
        add("worker", template, "base", folder, template, None)
        _own_secrets(folder, template)
    except BaseException:
        for file in written:
            file.unlink(missing_ok=True)
        for each in made[-1:]:
            shutil.rmtree(each, ignore_errors=True)
        raise
    _ignore(folder)
    enter = "" if shown == Path() else f"cd {shown}\n  "
    return (
        f"{folder.name} made, with the Worker `{template}`\nnext:\n  {enter}inferstack setup\n  inferstack up {STACK}"
    )


MERGED = ("README.md", *FOR_AGENTS)  # one's own stay as they are


def _files(folder: Path, template: str) -> dict[str, str]:
    """Text by path, but the stacks that `init` and `add` write."""
    name = re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("-.") or "inference"
    facts = {"name": name, "version": __version__}
    found = {
        "Pulumi.yaml": PROGRAM.format(**facts),
        "__main__.py": (HOME / "__main__.py").read_text(),
        "requirements.txt": f"inferstack=={__version__}\n",
        "requirements-dev.txt": f"inferstack[local,mcp]=={__version__}\n",
        "README.md": README.format(**facts),
        **FOR_AGENTS,
        SCHEMA: (HOME / SCHEMA).read_text(),
        "stacks/base.yaml": BASE,
    }
    for file in sorted((HOME / "migrations" / template).glob("*.sql")):
        found[f"migrations/{template}/{file.name}"] = file.read_text()
    return found


def _refuse_if_taken(folder: Path, files: dict[str, str]) -> None:
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"{folder} is a file\n  fix: name a folder")
    if (folder / "stacks").exists() and (folder / "Pulumi.yaml").exists():
        raise ConfigError(f"{folder} is a project already\n  fix: inferstack add stack NAME adds an environment to it")
    taken = [path for path in files if path not in MERGED and (folder / path).exists()]
    if taken:
        raise ConfigError(f"{folder} has {', '.join(taken)}, which would be overwritten\n  fix: name another folder")


def _own_secrets(folder: Path, template: str) -> None:
    """The local stack makes its secrets itself; others take them from the environment, as base.yaml says."""
    found = find_template(template, folder)
    assert found is not None
    file = folder / "stacks" / f"{STACK}.yaml"
    if found.secrets and "\nworkers:" not in file.read_text():
        lines = ["", "workers:", f"  {template}:", "    secrets:   # made on first use"]
        lines += [
            f"      {name}: file:.inferstack/secrets/{STACK}-{name.lower().replace('_', '-')}" for name in found.secrets
        ]
        file.write_text(file.read_text() + "\n".join(lines) + "\n")


def _ignore(folder: Path) -> None:
    """The lines that lack in .gitignore."""
    file = folder / ".gitignore"
    old = file.read_text() if file.exists() else ""
    lacking = [line for line in IGNORED if line not in old.splitlines()]
    file.write_text(old + ("\n" if old and not old.endswith("\n") else "") + "".join(f"{line}\n" for line in lacking))
