"""The local Cloudflare in the foreground, with what must be said before numpy is imported."""

from __future__ import annotations

import os


def main(arguments: list[str] | None = None) -> int:
    # Each start of workerd forks, and OpenBLAS ends its threads before a fork: what another thread computes just then waits
    # for them for ever (numpy 2.4.6; seen for 25 minutes, at 85 % of a core). One thread waits for none.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from inferstack.local.server import main as serve

    return serve(arguments)
