"""D1 databases: what `databases:` in a stack file becomes."""

from __future__ import annotations

import pulumi

from inferstack.config import text_in
from inferstack.resources.context import Context
from inferstack.resources.official import D1Database
from inferstack.resources.own import D1Migrations, D1Seed

LEDGER = "d1_migrations"  # what the provider takes without a word; older states have none


class Database(pulumi.ComponentResource):
    """A D1 database with its migrations applied."""

    uuid: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.databases[key]
        super().__init__("inferstack:index:Database", key, {}, opts)
        replication = {"mode": spec.read_replication} if spec.read_replication else None
        database = D1Database(
            key,
            {
                "accountId": context.account_id,
                "name": context.spec.name_of("databases", key),
                "jurisdiction": spec.jurisdiction,
                "primaryLocationHint": spec.location,
                "readReplication": replication,
                **spec.raw,
            },
            context.keep(key, self),
        )
        self.uuid = database.output("uuid")
        before: list[pulumi.Resource] = [database]
        if spec.migrations is not None:
            files = sorted((context.root / spec.migrations).glob("*.sql"))
            migrations = [
                {"name": f.name, "path": str(f.relative_to(context.root)), "sql": text_in(f, context.root)}
                for f in files
            ]
            inputs = {"accountId": context.account_id, "databaseId": self.uuid, "migrations": migrations}
            if spec.migrations_table != LEDGER:
                inputs["table"] = spec.migrations_table
            after = pulumi.ResourceOptions(parent=self, deleted_with=database)
            before.append(D1Migrations(f"{key}-migrations", inputs, after))
        if spec.seed is not None:
            seed = {"file": spec.seed, "sql": text_in(context.root / spec.seed, context.root)}
            after = pulumi.ResourceOptions(parent=self, deleted_with=database, depends_on=before)
            D1Seed(f"{key}-seed", {"accountId": context.account_id, "databaseId": self.uuid, **seed}, after)
        self.register_outputs({"uuid": self.uuid})
