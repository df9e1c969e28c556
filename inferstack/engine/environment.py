"""The environment of a Pulumi run: where state and plugins lie, and which Cloudflare it talks to."""

from __future__ import annotations

import os
import secrets
import sys
from pathlib import Path
from urllib.parse import urlsplit

from inferstack import local
from inferstack.config import StackSpec, load_stack
from inferstack.errors import ConfigError, UserError
from inferstack.shipped import HOME
from inferstack.toolchain import read_toolchain

STATE, STATE_VARIABLE = ".inferstack", "INFERSTACK_STATE"
PASSPHRASE = f"{STATE}/passphrase"
SALT = "encryptionsalt:"


def state_folder(root: Path) -> Path:
    """Where the local Cloudflare and Pulumi keep what they know of local stacks: the project's own, or that of a test run."""
    return root / (os.environ.get(STATE_VARIABLE) or STATE)


def local_settings(spec: StackSpec, root: Path) -> local.Settings:
    """Beside the project's own local Cloudflare another one takes ports that are free."""
    apart = bool(os.environ.get(STATE_VARIABLE))
    return local.Settings(
        folder=state_folder(root) / "local",
        port=0 if apart else spec.local.port,
        api_port=0 if apart else spec.local.api_port,
        text_server=spec.local.text_server or (str((root / spec.local.text).resolve()) if spec.local.text else ""),
        real=spec.local.real,
        replay=spec.local.replay,
    )


def local_account(spec: StackSpec) -> str:
    return spec.account or local.ACCOUNT_ID


def local_host(spec: StackSpec, worker: str) -> str:
    """The host name of a Worker on the local Cloudflare."""
    return f"{spec.name_of('workers', worker)}.{local.subdomain_of(local_account(spec))}.localhost"


def run_environment(spec: StackSpec, root: Path) -> dict[str, str]:
    """Variables for a run of this stack; those of the caller win where they say where state and secrets lie."""
    toolchain = read_toolchain(root)
    path = [str(toolchain.pulumi.parent)]
    libexec = toolchain.pulumi.parent.parent / "libexec"
    path += [str(libexec)] if libexec.is_dir() else []
    offline = HOME / "bin" / "offline"
    variables = {"PULUMI_SKIP_UPDATE_CHECK": "true", "INFERSTACK_PYTHON": sys.executable}
    if toolchain.pulumi_from == "go":
        path.append(str(offline / "language"))
    if spec.target == "local":
        variables |= _local_variables(spec, root)
        # Only the stand-in sends `props` of bindings; Pulumi prefers a plugin on the PATH to an installed one.
        if not toolchain.official_plugin or spec.has_props:
            path.append(str(offline / "provider"))
            variables["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    # The program's Python and the provider, wherever this is installed.
    path.append(str(Path(sys.executable).parent))
    variables["PATH"] = os.pathsep.join([*path, os.environ.get("PATH", "/usr/bin:/bin")])
    return variables


def _local_variables(spec: StackSpec, root: Path) -> dict[str, str]:
    state = state_folder(root)
    settings = local_settings(spec, root)
    running = local.find(settings.folder)
    api_port = running.api_port if running else settings.api_port
    port = running.port if running else settings.port
    for folder in ("pulumi", "pulumi-home"):
        (state / folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    passphrase = root / PASSPHRASE
    if _write_once(passphrase):
        _forget_encrypted(root)
    for _, reference in spec.secret_references():
        kind, _, name = reference.partition(":")
        if kind == "file" and name.startswith(f"{STATE}/"):
            _write_once(root / name)
    account = local_account(spec)
    return {
        "CLOUDFLARE_ACCOUNT_ID": account,
        "CLOUDFLARE_API_TOKEN": os.environ.get("INFERSTACK_LOCAL_TOKEN") or local.token_of(settings.folder, account),
        "CLOUDFLARE_BASE_URL": f"http://127.0.0.1:{api_port}/client/v4",  # Pulumi, Terraform, the SDKs
        "CLOUDFLARE_API_BASE_URL": f"http://127.0.0.1:{api_port}/client/v4",  # wrangler
        "INFERSTACK_LOCAL_WORKERS": f"127.0.0.1:{port}",
        # PULUMI_BACKEND_URL is where production's state lies: a local stack is not written there by accident.
        "PULUMI_BACKEND_URL": os.environ.get("INFERSTACK_LOCAL_BACKEND_URL") or _file_backend(state / "pulumi"),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase),
        "PULUMI_HOME": str(state / "pulumi-home"),
    }


def _file_backend(folder: Path) -> str:
    """Pulumi's state in files, without the attributes that gocloud keeps beside each.

    It renames a checkpoint into place but writes its `.attrs` in place, and first: a kill between leaves an empty
    one, and each later command ends with "failed to load checkpoint: EOF". Nothing that Pulumi does needs them.
    """
    for left in (folder / ".pulumi").rglob("*.attrs"):  # of earlier versions
        left.unlink(missing_ok=True)
    return f"file://{folder}?metadata=skip"


def folder_of(backend: str) -> Path | None:
    """Where a state in files lies; None for one that is elsewhere."""
    address = urlsplit(backend)
    return Path(address.path) if address.scheme == "file" else None


def _forget_encrypted(root: Path) -> None:
    """The salts of a passphrase that is gone go too. Files that hold secrets of it are named: only their owner can help."""
    holding = secrets_in_config(root)
    if holding:
        (root / PASSPHRASE).unlink()
        text = f"{', '.join(holding)} holds secrets whose passphrase ({PASSPHRASE}) is gone"
        fix = "put the passphrase back, or remove `encryptionsalt:` and the `secure:` values from it"
        raise ConfigError(f"{text}\n  fix: {fix}")
    forget_salts(root)


def _encrypted_files(root: Path) -> list[Path]:
    """`Pulumi.<stack>.yaml` of each local stack that has a salt."""
    found = []
    for file in sorted(root.glob("Pulumi.*.yaml")):
        name = file.name.removeprefix("Pulumi.").removesuffix(".yaml")
        try:
            local_stack = load_stack(name, root).target == "local"
        except UserError:
            continue
        if local_stack and any(line.startswith(SALT) for line in file.read_text().splitlines()):
            found.append(file)
    return found


def _holds_secrets(file: Path) -> bool:
    return any(line.strip().startswith(("secure:", "- secure:")) for line in file.read_text().splitlines())


def secrets_in_config(root: Path) -> list[str]:
    """The files of local stacks with values that only the passphrase of now opens."""
    return [file.name for file in _encrypted_files(root) if _holds_secrets(file)]


def forget_salts(root: Path) -> None:
    """A new passphrase opens nothing that an older one closed: Pulumi would only say "incorrect passphrase"."""
    for file in _encrypted_files(root):
        kept = [line for line in file.read_text().splitlines(keepends=True) if not line.startswith(SALT)]
        file.write_text("".join(kept)) if kept else file.unlink()


def _write_once(file: Path) -> bool:
    """A random secret of a local stack, made on first use; readable by the owner only. Whether it was made now."""
    if file.exists():
        return False
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return local.write_once(file, secrets.token_urlsafe(32))
