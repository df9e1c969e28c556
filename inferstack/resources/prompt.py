"""Prompts: what `prompts:` in a stack file becomes: an entry of the state, so that a preview tells what changes, word by word.

Cloudflare has no such thing. The Workers' versions carry the texts (`inferstack/config/prompt_models.py` says why), and their
bindings are one secret to the engine as soon as one of them is.
"""

from __future__ import annotations

import pulumi

from inferstack.config import prompt_value
from inferstack.resources.context import Context


class Prompt(pulumi.ComponentResource):
    """Its inputs are version, text and the variables that are open."""

    token = "inferstack:index:Prompt"  # noqa: S105 - a type token

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        value = prompt_value(key, context.spec.prompts[key], context.root)
        shown = {name: value[name] for name in ("version", "text", "variables")}
        super().__init__(self.token, key, shown, opts)
        self.register_outputs({"version": value["version"]})
