"""The plugin process `pulumi-resource-inferstack`."""

from __future__ import annotations

from inferstack import __version__
from inferstack.plugin.servicer import Servicer, serve_provider
from inferstack.provider.custom_provider import CustomProvider
from inferstack.provider.d1_migrations import D1Migrations
from inferstack.provider.d1_seed import D1Seed
from inferstack.provider.gateway_policy import GatewayPolicy
from inferstack.provider.gateway_route import GatewayRoute
from inferstack.provider.kv_seed import KvSeed
from inferstack.provider.metadata_index import MetadataIndex
from inferstack.provider.object_migrations import ObjectMigrations
from inferstack.provider.provider_key import ProviderKey
from inferstack.provider.search_namespace import SearchNamespace
from inferstack.provider.secret_age import SecretAge
from inferstack.provider.smoke_check import SmokeCheck
from inferstack.provider.store_secret import StoreSecret
from inferstack.provider.telemetry_destination import TelemetryDestination
from inferstack.provider.vectorize_index import VectorizeIndex
from inferstack.provider.worker_rollout import WorkerRollout

TYPES = (
    VectorizeIndex(),
    MetadataIndex(),
    D1Migrations(),
    D1Seed(),
    KvSeed(),
    GatewayRoute(),
    GatewayPolicy(),
    ProviderKey(),
    StoreSecret(),
    SecretAge(),
    CustomProvider(),
    SearchNamespace(),
    TelemetryDestination(),
    SmokeCheck(),
    WorkerRollout(),
    ObjectMigrations(),
)


def main() -> None:
    serve_provider(Servicer(__version__, {kind.token: kind for kind in TYPES}, lambda _: None))


if __name__ == "__main__":
    main()
