"""AI Gateways: shares that add up, times that Cloudflare takes."""

from __future__ import annotations

from inferstack import catalog
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec


def check(spec: StackSpec, report: Report) -> None:
    for key, provider in spec.providers.items():
        if spec.target == "cloudflare" and not provider.base_url.startswith("https://"):
            problem, fix = f"AI Gateway calls `{provider.base_url}` over https only", "give an https address"
            report("IS100", ("providers", key, "base_url"), problem, fix)
    shortest = catalog.limit("ai_gateway", "cache_ttl")["min_seconds"]
    for key, gateway in spec.gateways.items():
        if 0 < gateway.cache_ttl < shortest:
            problem = f"`cache_ttl` is {gateway.cache_ttl} seconds; AI Gateway keeps answers at least {shortest}"
            report("IS069", ("gateways", key, "cache_ttl"), problem, f"give {shortest} or more, or 0 for no cache")
        for name, route in gateway.routes.items():
            total = sum(share.percent for share in route.split)
            if total >= 100:
                problem = f"the shares of `split` add up to {total} % and leave nothing for `models`"
                report("IS043", ("gateways", key, "routes", name, "split"), problem, "let them add up to less than 100")
