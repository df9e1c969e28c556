"""A Pulumi program as a person would write it for many Workers, with pulumi_cloudflare's own classes."""

import base64
import os
from pathlib import Path

import pulumi
import pulumi_cloudflare as cloudflare

ACCOUNT = os.environ["CLOUDFLARE_ACCOUNT_ID"]

for source in sorted(Path("workers").glob("*.js")):
    name = f"{source.stem}-theirs"
    worker = cloudflare.Worker(
        source.stem,
        account_id=ACCOUNT,
        name=name,
        observability={"enabled": False, "head_sampling_rate": 1},
        subdomain={"enabled": True, "previews_enabled": False},
        tags=["environment:theirs"],
    )
    version = cloudflare.WorkerVersion(
        f"{source.stem}-version",
        account_id=ACCOUNT,
        worker_id=worker.id,
        main_module=source.name,
        modules=[
            {
                "name": source.name,
                "content_type": "application/javascript+module",
                "content_base64": base64.b64encode(source.read_bytes()).decode(),
            }
        ],
        compatibility_date="2026-06-01",
        compatibility_flags=[],
    )
    cloudflare.WorkersDeployment(
        f"{source.stem}-deployment",
        account_id=ACCOUNT,
        script_name=name,
        strategy="percentage",
        versions=[{"version_id": version.id, "percentage": 100}],
    )
pulumi.export("workers", len(list(Path("workers").glob("*.js"))))
