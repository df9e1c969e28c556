"""Where a local Cloudflare lies and how to reach it; light, so that the command line stays fast."""

from __future__ import annotations

import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

API = "/client/v4"
S3_ROOT = "/cdn-cgi/local/r2/s3"  # the simulator's, and so `wrangler dev`'s: the path is signed, so it can't be another
ACCOUNT_ID = "10ca110ca110ca110ca110ca110ca110"  # the first account, and the only one for most
LOCK = "lock"  # held by the process that has the state folder
ACCOUNTS = "accounts"  # folder of the others
SUBDOMAIN = "local"  # of the first account
WORKERS_PORT, API_PORT = 8787, 8788


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where the state lies and which ports are used (0: any free one)."""

    folder: Path
    port: int = WORKERS_PORT
    api_port: int = API_PORT
    text_server: str = ""  # of an OpenAI-compatible server; empty for the extractive model
    replay: str = "off"  # of recorded inferences: off, fill or strict
    real: tuple[str, ...] | None = None  # tasks whose real engines answer; None for those of before


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A running local Cloudflare, as its record in the state folder says."""

    pid: int
    port: int
    api_port: int
    text_server: str = ""
    real: tuple[str, ...] = ()
    replay: str = "off"

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}{API}"


def record_file(folder: Path) -> Path:
    return folder / "server.json"


def recordings_folder(folder: Path) -> Path:
    """Of recorded inferences: `recordings/` of the project, beside its `.inferstack`."""
    return folder.parent.parent / "recordings"


def real_file(folder: Path) -> Path:
    """Tasks whose real engines answer, kept for the next start."""
    return folder / "real.json"


def real_tasks(folder: Path) -> tuple[str, ...]:
    """Those that were chosen last; none at first."""
    try:
        return tuple(map(str, json.loads(real_file(folder).read_text())))
    except (OSError, ValueError, TypeError):
        return ()


def is_new(folder: Path) -> bool:
    """Whether no local Cloudflare has ever run there."""
    return not (real_file(folder).exists() or record_file(folder).exists() or (folder / "server.log").exists())


def choose_at_first(folder: Path, real: tuple[str, ...]) -> bool:
    """Real engines for a local Cloudflare that has never run; whether it is one."""
    if not is_new(folder):
        return False
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return write_once(real_file(folder), json.dumps(real))


def ports_file(folder: Path) -> Path:
    """Where the Workers' own ports are told."""
    return folder / "ports.json"


def worker_ports(folder: Path) -> dict[str, int]:
    """Ports by `<account>/<script>`; empty before the first deployment."""
    try:
        return {str(key): int(port) for key, port in json.loads(ports_file(folder).read_text()).items()}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def account_folder(folder: Path, account_id: str) -> Path:
    """Where the state of an account lies."""
    return folder if account_id == ACCOUNT_ID else folder / ACCOUNTS / account_id


def subdomain_of(account_id: str) -> str:
    """Workers are `<name>.<subdomain>.localhost`."""
    return SUBDOMAIN if account_id == ACCOUNT_ID else account_id[:8]


def token_of(folder: Path, account_id: str = ACCOUNT_ID) -> str:
    """The API token of an account, made on first use; readable by the owner only."""
    file = account_folder(folder, account_id) / "token"
    if not file.exists():
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_once(file, f"local-{secrets.token_urlsafe(30)}")
    return file.read_text()


def access_key(account_id: str, token: str) -> dict[str, str]:
    """An API token as a key of S3: its id, and the SHA-256 of it (https://developers.cloudflare.com/r2/api/tokens)."""
    return {"accessKeyId": account_id, "secretAccessKey": hashlib.sha256(token.encode()).hexdigest()}


def s3_environment(api_port: int, account_id: str, token: str) -> dict[str, str]:
    """What boto3, the AWS CLI and rclone read."""
    key = access_key(account_id, token)
    names = {"AWS_ACCESS_KEY_ID": key["accessKeyId"], "AWS_SECRET_ACCESS_KEY": key["secretAccessKey"]}
    return names | {"AWS_ENDPOINT_URL_S3": f"http://127.0.0.1:{api_port}{S3_ROOT}", "AWS_REGION": "auto"}


def write_once(file: Path, text: str) -> bool:
    """Make the file unless it is there; whether it was made now. Whoever reads it beside sees all of it or none."""
    partial = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as handle:
            handle.write(text)
        os.link(partial, file)
    except FileExistsError:  # another process was first, and its text holds
        return False
    finally:
        partial.unlink()
    return True
