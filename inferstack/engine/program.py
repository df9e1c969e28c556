"""What the Pulumi program does: declare the selected stack, and export what its traffic would cost."""

from __future__ import annotations

from pathlib import Path

import pulumi

from inferstack.engine.plugins_ahead import start_ahead
from inferstack.versions import CLOUDFLARE_PROVIDER


def declare(name: str, root: Path) -> None:
    """Raises `UserError`. The estimate is an output, so that every preview shows how a change moves it."""
    start_ahead("cloudflare", CLOUDFLARE_PROVIDER)  # there is no Worker without it
    # What follows is imported while that starts.
    from inferstack.config import load_stack

    spec = load_stack(name, root)
    if spec.indexes or any(database.migrations for database in spec.databases.values()):
        start_ahead("inferstack")  # others need it, too, and get it with their first resource
    from inferstack.engine.ephemeral_files import made_for_a_while
    from inferstack.resources import declare_stack

    declare_stack(spec, root, ephemeral=made_for_a_while(name, root))
    if spec.expires is not None:
        pulumi.export("expires", spec.expires)
    if spec.expect.model_fields_set:
        from inferstack.cost.estimate import monthly  # after the resources, which need not wait for it

        pulumi.export("usd_a_month", monthly(name, spec))
