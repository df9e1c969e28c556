"""What every component needs to know: the stack, the account, where files lie, how a secret is found."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pulumi
from pulumi.runtime.rpc import UNKNOWN

from inferstack.config import StackSpec
from inferstack.errors import ConfigError
from inferstack.resources.secret_sources import SecretMissing, commands_off, read_secret

UNPROTECT = "INFERSTACK_UNPROTECT"  # keys of what may be lost in this run, with commas


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Handed from the stack to its components."""

    spec: StackSpec
    account_id: str
    root: Path

    def keep(self, key: str, parent: pulumi.Resource) -> pulumi.ResourceOptions:
        """For what holds data: protected, and in production kept on Cloudflare even when it leaves the stack.

        What `inferstack up --allow-data-loss` names is neither.
        """
        free = os.environ.get(UNPROTECT, "").split(",")
        loose = "*" in free or key in free
        return pulumi.ResourceOptions(
            parent=parent,
            protect=self.spec.protected and not loose,
            retain_on_delete=self.spec.production and not loose,
        )

    def local_address(self) -> str:
        """Where the Workers of the local Cloudflare are. Raises `ConfigError` when the environment does not say."""
        address = os.environ.get("INFERSTACK_LOCAL_WORKERS")
        if not address:
            text = 'smoke checks of a local stack need INFERSTACK_LOCAL_WORKERS\n  fix: eval "$(inferstack env STACK)"'
            raise ConfigError(text)
        return address

    def secret(self, reference: str, wanted_by: str) -> pulumi.Output[str]:
        """The value behind a reference, as a Pulumi secret. Raises `ConfigError`."""
        source = self.spec.source_of(reference)
        assert source is not None  # IS099
        kind, _, name = source.partition(":")
        if kind == "config":
            found = pulumi.Config().get_secret(name)
            if found is None:
                text = f"{wanted_by}: Pulumi's config has no `{name}`\n  fix: pulumi config set --secret {name}"
                raise ConfigError(text)
            return found
        if kind == "command" and commands_off() and pulumi.runtime.is_dry_run():
            return pulumi.Output.secret(pulumi.Output.from_input(UNKNOWN))  # a preview can do without
        try:
            return pulumi.Output.secret(read_secret(source, self.root))
        except SecretMissing as error:
            raise ConfigError(f"{wanted_by}: {error.why}\n  fix: {error.fix}") from None
