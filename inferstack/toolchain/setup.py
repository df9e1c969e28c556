"""`inferstack setup`: what is no Python package, made ready once for all projects of this user; a second run takes a moment."""

from __future__ import annotations

import importlib.util
import time

from inferstack.errors import ToolchainError
from inferstack.toolchain import node_tools, pulumi_cli
from inferstack.toolchain.folders import cache_folder, make_writable, say
from inferstack.toolchain.record import Toolchain, record_file, write_toolchain

LOCAL_MODULES = ("starlette", "uvicorn", "apsw", "numpy")
LOCAL_FIX = "pip install 'inferstack[local]'"


def setup(*, deploy_only: bool, quiet: bool = False) -> Toolchain:
    """Raises `ToolchainError`. `deploy_only` leaves out what only the local Cloudflare needs."""
    started = time.monotonic()
    make_writable(cache_folder())
    if not deploy_only and missing_modules():
        text = f"the local Cloudflare's Python packages are not installed ({', '.join(missing_modules())})"
        raise ToolchainError(f"{text}\n  fix: {LOCAL_FIX}; or `inferstack setup --deploy-only` for pipelines")
    node_tools.install("build")
    if not deploy_only:
        node_tools.install("runtime")
    pulumi, origin = pulumi_cli.find_or_get()
    found = Toolchain(pulumi=pulumi, pulumi_from=origin, official_plugin=pulumi_cli.get_official_plugin(pulumi))
    write_toolchain(found)
    took = time.monotonic() - started
    if not quiet:
        say(f"ready: Pulumi from {origin}, {found.provider}; kept in {record_file().parent}; {took:.0f} s")
    return found


def missing_modules() -> list[str]:
    return [name for name in LOCAL_MODULES if importlib.util.find_spec(name) is None]
