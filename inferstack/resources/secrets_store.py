"""Secrets of the account's Secrets Store: what `secrets_store:` becomes, and those that only a Worker names."""

from __future__ import annotations

import hashlib
from functools import partial
from typing import Any

import pulumi

from inferstack.resources.context import Context
from inferstack.resources.own import SecretAge, StoreSecret


class StoredSecret(pulumi.ComponentResource):
    """A secret that this stack keeps, or one that it found."""

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:StoredSecret", key, {}, opts)
        reference = context.spec.secrets_store.get(key)
        self.name = context.spec.physical(key) if reference else key
        value = context.secret(reference, f"secrets_store `{key}`") if reference else None
        comment = f"environment {context.spec.environment}, by inferstack"
        inputs = {"accountId": context.account_id, "name": self.name, "comment": comment, "value": value}
        secret = StoreSecret(f"{key}-secret", inputs, pulumi.ResourceOptions(parent=self))
        self._store_id = secret.storeId
        self.register_outputs({"name": self.name})

    def binding(self) -> dict[str, Any]:
        return {"type": "secrets_store_secret", "storeId": self._store_id, "secretName": self.name}


def keep_ages(context: Context, opts: pulumi.ResourceOptions) -> None:
    """Of every secret whose value a deployment reads, since when it has that value."""
    for path, reference in context.spec.secret_references():
        if context.spec.source_of(reference) is None or reference.startswith("store:"):
            continue  # its age is that of what is kept under `secrets_store:`, or the account's affair
        place = ".".join(map(str, path))
        value = context.secret(reference, f"`{place}`")
        fingerprint = value.apply(partial(_fingerprint, place))
        SecretAge(f"{place}-age", {"secret": place, "fingerprint": pulumi.Output.secret(fingerprint)}, opts)


def _fingerprint(salt: str, value: str) -> str:
    return hashlib.sha256(f"{salt}\0{value}".encode()).hexdigest()
