"""The local Cloudflare: control plane and data plane of one account, offline. `docs/local-cloudflare.md` says what it is."""

from inferstack.local._settings import ACCOUNT_ID, API_PORT, WORKERS_PORT, Running, Settings, token_of
from inferstack.local.daemon import ensure, find, stop

__all__ = ["ACCOUNT_ID", "API_PORT", "WORKERS_PORT", "Running", "Settings", "ensure", "find", "stop", "token_of"]
