"""The resource types of this project's own provider."""

from __future__ import annotations

from typing import Any, ClassVar

import pulumi


class OwnResource(pulumi.CustomResource):
    """A resource of the provider `inferstack`."""

    token: ClassVar[str]
    outputs: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, inputs: dict[str, Any], opts: pulumi.ResourceOptions | None = None) -> None:
        given = {key: value for key, value in inputs.items() if value is not None}
        super().__init__(self.token, name, {**dict.fromkeys(self.outputs), **given}, opts)


class VectorizeIndex(OwnResource):
    """Inputs: accountId, name, dimensions, metric, description?."""

    token = "inferstack:index:VectorizeIndex"  # noqa: S105 - type tokens


class VectorizeMetadataIndex(OwnResource):
    """Inputs: accountId, indexName, propertyName, indexType."""

    token = "inferstack:index:VectorizeMetadataIndex"  # noqa: S105


class D1Migrations(OwnResource):
    """Inputs: accountId, databaseId, migrations, table."""

    token = "inferstack:index:D1Migrations"  # noqa: S105


class D1Seed(OwnResource):
    """Inputs: accountId, databaseId, file, sql."""

    token = "inferstack:index:D1Seed"  # noqa: S105


class KvSeed(OwnResource):
    """Inputs: accountId, namespaceId, file, values."""

    token = "inferstack:index:KvSeed"  # noqa: S105


class GatewayRoute(OwnResource):
    """Inputs: accountId, gatewayId, name, elements. Outputs: routeId, versionId."""

    token = "inferstack:index:GatewayRoute"  # noqa: S105
    outputs = ("routeId", "versionId")


class GatewayPolicy(OwnResource):
    """Inputs: accountId, gatewayId, name, actor, resource, condition, action."""

    token = "inferstack:index:GatewayPolicy"  # noqa: S105


class SmokeCheck(OwnResource):
    """Inputs: accountId, scriptName, versionId, checks, hostname?, localAddress?."""

    token = "inferstack:index:SmokeCheck"  # noqa: S105


class WorkerRollout(OwnResource):
    """Inputs: accountId, scriptName, versionId, steps, holdSeconds, checks, abortOn, hostname?, localAddress?."""

    token = "inferstack:index:WorkerRollout"  # noqa: S105
    outputs = ("deploymentId",)


class ObjectMigrations(OwnResource):
    """Inputs: accountId, scriptName, classes, deleted, content. Outputs: migrations."""

    token = "inferstack:index:ObjectMigrations"  # noqa: S105
    outputs = ("migrations",)
    migrations: pulumi.Output[Any]


class ProviderKey(OwnResource):
    """Inputs: accountId, gatewayId, provider, alias, secret."""

    token = "inferstack:index:ProviderKey"  # noqa: S105


class SecretAge(OwnResource):
    """Inputs: secret, fingerprint. Outputs: since."""

    token = "inferstack:index:SecretAge"  # noqa: S105
    outputs = ("since",)


class StoreSecret(OwnResource):
    """Inputs: accountId, name, comment, value?. Outputs: storeId."""

    token = "inferstack:index:StoreSecret"  # noqa: S105
    outputs = ("storeId",)
    storeId: pulumi.Output[str]  # noqa: N815 - the property's name on the wire


class SearchNamespace(OwnResource):
    """Inputs: accountId, name, description. Its id is the name."""

    token = "inferstack:index:SearchNamespace"  # noqa: S105


class TelemetryDestination(OwnResource):
    """Inputs: accountId, name, url, dataset, headers?. Output: slug."""

    token = "inferstack:index:TelemetryDestination"  # noqa: S105
    outputs = ("slug",)

    slug: pulumi.Output[str]


class CustomProvider(OwnResource):
    """Inputs: accountId, slug, baseUrl."""

    token = "inferstack:index:CustomProvider"  # noqa: S105
