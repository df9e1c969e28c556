"""OpenTofu and Cloudflare's Terraform provider, built from their Go modules into the user's cache, by version.

    python -m tools.terraform        builds what is not there yet, and prints where both lie

Where a registry can be reached, nobody needs this: `tofu init` fetches the provider. The tests use it to run a Terraform
project where nothing but the Go module proxy can be reached. About 15 minutes on a busy machine, once.

The provider is built with the resources of `RESOURCES` alone. Each of its 282 packages compiles every type of Cloudflare's
client again (15 seconds of a core and 80 MB of object code each, measured 2026-11-27 at v5.24): all of them are an hour. So
the lists of resources, in the provider, and of services, in the client, are cut before; the code of what is left is as it
was published.
"""

from __future__ import annotations

import hashlib
import re
import sys
from pathlib import Path

from inferstack.errors import ToolchainError
from tools.go_programs import Program, build

MODULES = "github.com/cloudflare"
RESOURCES = (
    *("account", "ai_gateway", "ai_search_instance", "ai_search_namespace", "ai_search_token"),
    *("d1_database", "hyperdrive_config", "queue", "queue_consumer"),
    *("r2_bucket", "r2_bucket_cors", "r2_bucket_lifecycle", "worker", "worker_version", "workflow"),
    *("workers_cron_trigger", "workers_custom_domain", "workers_deployment", "workers_kv", "workers_kv_namespace"),
    *("workers_route", "workers_script", "workers_script_subdomain", "zone"),
)
SERVICES = (
    "accounts",
    "ai_gateway",
    "ai_search",
    "d1",
    "hyperdrive",
    "kv",
    "queues",
    "r2",
    "workers",
    "workflows",
    "zones",
)
KEPT = hashlib.sha256("\n".join((*RESOURCES, *SERVICES)).encode()).hexdigest()[:8]  # another list is another program


def cut_lists(vendored: Path) -> None:
    """Leave `RESOURCES` in the provider's lists and `SERVICES` in the client's."""
    vendored, provider = vendored / MODULES, "terraform-provider-cloudflare/internal"
    _cut(vendored / provider / "provider.go", f"{MODULES}/{provider}/services", RESOURCES)
    for client in (vendored / "cloudflare-go").glob("v*/client.go"):
        _cut(client, f"{MODULES}/cloudflare-go/{client.parent.name}", SERVICES)


def _cut(file: Path, prefix: str, kept: tuple[str, ...]) -> None:
    """Drop the imports of packages under `prefix` that are not kept, and each line of a list or field that names one."""
    lines = file.read_text().splitlines()
    imported = {line: line.strip('\t"').rpartition("/")[2] for line in lines if line.startswith(f'\t"{prefix}/')}
    dropped = {line: name for line, name in imported.items() if "/internal/" not in line.removeprefix(f'\t"{prefix}')}
    dropped = {line: name for line, name in dropped.items() if name not in {*kept, "option", "shared"}}
    named = re.compile(rf"\b(?:{'|'.join(dropped.values())})\.(?:New\w+[,(]|\w+Service$)")
    file.write_text("".join(f"{line}\n" for line in lines if line not in dropped and not named.search(line)))


TOFU = Program("terraform", "opentofu", "github.com/opentofu/opentofu", "github.com/opentofu/opentofu/cmd/tofu", "tofu")
PROVIDER = Program(
    "terraform",
    "terraform_provider",
    "github.com/cloudflare/terraform-provider-cloudflare",
    "github.com/cloudflare/terraform-provider-cloudflare",
    "terraform-provider-cloudflare",
    # 350,000 generated lines that run for seconds: the optimizer would take longer than it gives back.
    ("-gcflags=all=-N -l -dwarf=false",),
    cut_lists,
    KEPT,
)


def built() -> bool:
    return TOFU.binary.exists() and PROVIDER.binary.exists()


def main() -> int:
    try:
        for program in (TOFU, PROVIDER):
            print(build(program))
    except ToolchainError as error:
        print(f"terraform: error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
