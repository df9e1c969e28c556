"""The local Cloudflare: control plane and data plane offline. `docs/local-cloudflare.md` says what it is."""

from inferstack.local._settings import (
    ACCOUNT_ID,
    API_PORT,
    WORKERS_PORT,
    Running,
    Settings,
    choose_at_first,
    is_new,
    real_tasks,
    recordings_folder,
    s3_environment,
    subdomain_of,
    token_of,
    worker_ports,
    write_once,
)
from inferstack.local.control import control
from inferstack.local.daemon import ensure, find, recordings, speakers, stop, use_recordings, workers_trouble

__all__ = [
    "ACCOUNT_ID",
    "API_PORT",
    "WORKERS_PORT",
    "Running",
    "Settings",
    "choose_at_first",
    "control",
    "ensure",
    "find",
    "is_new",
    "real_tasks",
    "recordings",
    "recordings_folder",
    "s3_environment",
    "speakers",
    "stop",
    "subdomain_of",
    "token_of",
    "use_recordings",
    "worker_ports",
    "workers_trouble",
    "write_once",
]
