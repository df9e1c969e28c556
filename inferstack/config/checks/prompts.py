"""Prompts: their files are there, their variables are declared and used, and a Worker's variable holds them."""

from __future__ import annotations

import json
from pathlib import Path

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.paths import leaves
from inferstack.config.prompt_models import LARGEST, PromptSpec, names_in, odd_places, prompt_value
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

CODE = "IS148"


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, prompt in spec.prompts.items():
        at: KeyPath = ("prompts", key)
        if prompt.file is None or _readable(prompt.file, root, (*at, "file"), report):
            _check_text(key, prompt, root, report)
    used = {model.prompt for model in spec.models.values()}
    used |= {binding.prompt for worker in spec.workers.values() for binding in worker.bindings.values()}
    for key in spec.prompts.keys() - used:
        fix = "remove it, or use it: `prompt:` of a model, or a binding"
        report(CODE, ("prompts", key), f"prompt `{key}` is used nowhere", fix, "warning")
    for alias, model in spec.models.items():
        declared = spec.prompts.get(model.prompt or "")
        if declared is not None and declared.open:
            names = ", ".join(f"`{name}`" for name in declared.open)
            problem = f"prompt `{model.prompt}` is a system message, and nothing fills in {names}"
            report(CODE, ("models", alias, "prompt"), problem, "give values under its `variables:`")


def _readable(name: str, root: Path, at: KeyPath, report: Report) -> bool:
    path = root / name
    if leaves(path, root):
        report("IS017", at, f"the path `{name}` leaves the project", "name a file of the project")
    elif not path.is_file():
        report("IS080", at, f"there is no file `{name}`", "create it, or correct the path")
    else:
        try:
            text = path.read_text()
        except (OSError, UnicodeDecodeError):
            report(CODE, at, f"`{name}` cannot be read as text", "save it as UTF-8")
            return False
        if text.strip():
            return True
        report(CODE, at, f"`{name}` is empty", "write the prompt into it")
    return False


def _check_text(key: str, prompt: PromptSpec, root: Path, report: Report) -> None:
    at: KeyPath = ("prompts", key)
    place = (*at, "file" if prompt.file else "text")
    text = prompt.written(root)
    named = names_in(text)
    for name in sorted(named - prompt.variables.keys()):
        near = closest(name, prompt.variables)
        report(CODE, place, f"the prompt has `{{{{{name}}}}}`, which is not declared{near}", "declare it: `variables:`")
    for name in sorted(prompt.variables.keys() - named):
        near = closest(name, named)
        fix = f"write `{{{{{name}}}}}` where it belongs, or leave it out"
        report(CODE, (*at, "variables", name), f"the prompt does not have `{{{{{name}}}}}`{near}", fix)
    for odd in odd_places(text) if prompt.variables else ():
        fix = "a variable is `{{name}}`, of letters, digits and `_`"
        report(CODE, place, f"`{odd.rstrip()}` is no variable", fix)
    size = len(json.dumps(prompt_value(key, prompt, root), ensure_ascii=False).encode())
    if size > LARGEST:
        problem = f"the prompt has {size:,} bytes as JSON; a Worker's variable holds {LARGEST:,}"
        report(CODE, place, problem, "shorten it; a longer one is a model's `system_file`, which is part of the code")
