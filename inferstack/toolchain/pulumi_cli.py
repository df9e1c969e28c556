"""The Pulumi CLI: on PATH, from Pulumi's own release, or built from its Go modules; and the official Cloudflare provider."""

from __future__ import annotations

import hashlib
import io
import os
import platform
import re
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

from inferstack.errors import ToolchainError
from inferstack.shipped import HOME
from inferstack.toolchain.folders import cache_folder, make_writable, offline, say
from inferstack.versions import CLOUDFLARE_PROVIDER, OLDEST_PULUMI, PULUMI

RELEASES = "https://get.pulumi.com/releases/sdk"  # archives, and a list of their SHA-256 sums for each version
PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
SDK = "github.com/pulumi/pulumi/sdk/v3"
SCRIPTS = ("python/dist/pulumi-resource-pulumi-python", "python/cmd/pulumi-language-python-exec")
A_DAY = 86_400


def find_or_get() -> tuple[Path, str]:
    """The CLI and where it is from; raises `ToolchainError`."""
    found = find()
    if found:
        return found
    home = cache_folder() / "pulumi" / f"v{PULUMI}"
    make_writable(home)
    if install_official(home / "installer"):
        return home / "installer" / "bin" / "pulumi", "installer"
    return build_with_go(home / "go"), "go"


def find() -> tuple[Path, str] | None:
    """One that is there already."""
    on_path = shutil.which("pulumi")
    if on_path and version_of(Path(on_path)) >= OLDEST_PULUMI:
        return Path(on_path).resolve(), "PATH"
    if on_path:
        say(f"{on_path} is older than {'.'.join(map(str, OLDEST_PULUMI))}; not used")
    for origin in ("installer", "go"):
        binary = cache_folder() / "pulumi" / f"v{PULUMI}" / origin / "bin" / "pulumi"
        if binary.exists():
            return binary, origin
    return None


def version_of(binary: Path) -> tuple[int, ...]:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    try:
        done = subprocess.run([str(binary), "version"], capture_output=True, text=True, env=environment, check=False)
    except OSError:
        return (0, 0, 0)
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", done.stdout.strip())
    return tuple(map(int, match.groups())) if match else (0, 0, 0)


def install_official(target: Path, releases: str = RELEASES) -> bool:
    """Pulumi's own release; False where there is no network for it.

    Not its `install.sh`, which would be run unseen: the archive is held against the release's list of sums, then unpacked.
    """
    name = release_name()
    if offline() or name is None:
        return False
    say(f"Pulumi CLI {PULUMI}: trying the official release")
    try:
        sums = _download(f"{releases}/pulumi-{PULUMI}-checksums.txt").decode()
        archive = _download(f"{releases}/{name}")
    except (OSError, ValueError):
        say("the release cannot be reached from here; building from Go modules instead")
        return False
    listed = {words[1]: words[0] for line in sums.splitlines() if len(words := line.split()) == 2}
    if listed.get(name) != hashlib.sha256(archive).hexdigest():
        say(f"{name} is not what the release's list of sums says; building from Go modules instead")
        return False
    _unpack(archive, target)
    return (target / "bin" / "pulumi").exists()


def release_name() -> str | None:
    """Of the archive for this machine; None for machines that have none of this form."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    return f"pulumi-v{PULUMI}-{system}-{machine}.tar.gz" if machine and system else None


def _download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - an address of this file
        data: bytes = answer.read()
        return data


def _unpack(archive: bytes, target: Path) -> None:
    """The programs of the archive's one folder, into `bin`; there at once or not at all."""
    partial = target.with_name(f"{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / "bin").mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        for member in files.getmembers():
            content = files.extractfile(member) if member.isfile() else None
            if content is not None:
                program = partial / "bin" / Path(member.name).name
                program.write_bytes(content.read())
                program.chmod(0o755)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)


def build_with_go(target: Path) -> Path:
    """Build the CLI from `tools/pulumi`, and keep the two scripts of its SDK that Python programs need beside it."""
    go = shutil.which("go")
    if go is None:
        raise ToolchainError(
            "there is no Pulumi CLI on PATH, its release cannot be reached, and Go is not on PATH to build it\n"
            "  fix: install Pulumi (pulumi.com/docs/install) or Go 1.26"
        )
    partial = target.with_name(target.name + f".partial-{os.getpid()}")
    version = f"-s -w -X {SDK}/go/common/version.Version=v{PULUMI}"
    say(f"Pulumi CLI {PULUMI}: building from Go modules, once on this machine (about 4 minutes on two cores)")
    with tempfile.TemporaryDirectory() as module, _Progress("downloading and compiling"):
        # A copy: Go writes beside go.mod, and the package's own folder may be read-only.
        shutil.copytree(HOME / "tools" / "pulumi", module, dirs_exist_ok=True)
        # No `go mod download` first: it also asks for the metadata of modules that the build does not need.
        build = [go, "build", "-trimpath", "-ldflags", version, "-o", str(partial / "bin" / "pulumi"), PACKAGE]
        done = subprocess.run(build, cwd=module, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
            raise ToolchainError(f"the Pulumi CLI cannot be built: {last.strip()}\n  fix: install Pulumi, or Go 1.26")
        listed = [go, "list", "-m", "-f", "{{.Dir}}", SDK]
        sdk = Path(subprocess.run(listed, cwd=module, capture_output=True, text=True, check=True).stdout.strip())
    (partial / "libexec").mkdir()
    for script in SCRIPTS:
        copy = partial / "libexec" / Path(script).name
        shutil.copyfile(sdk / script, copy)
        copy.chmod(0o755)
    if target.exists():
        shutil.rmtree(partial)
    else:
        partial.rename(target)
    return target / "bin" / "pulumi"


class _Progress:
    """Says every 20 seconds that a long step is still running."""

    def __init__(self, what: str) -> None:
        self._what, self._done = what, threading.Event()

    def __enter__(self) -> None:
        threading.Thread(target=self._tell, daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self._done.set()

    def _tell(self) -> None:
        started = time.monotonic()
        while not self._done.wait(20):
            say(f"{self._what}, {time.monotonic() - started:.0f} s so far")


def has_official_plugin() -> bool:
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    return (home / "plugins" / f"resource-cloudflare-v{CLOUDFLARE_PROVIDER}").exists()


def get_official_plugin(pulumi: Path) -> bool:
    """Whether Pulumi has, or can now download, the official Cloudflare provider."""
    tried = cache_folder() / f"no-plugin-{CLOUDFLARE_PROVIDER}"
    if has_official_plugin():
        return True
    if offline() or (tried.exists() and time.time() - tried.stat().st_mtime < A_DAY):
        return False
    say(f"official Cloudflare provider {CLOUDFLARE_PROVIDER}: asking Pulumi to install it")
    command = [str(pulumi), "plugin", "install", "resource", "cloudflare", f"v{CLOUDFLARE_PROVIDER}"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    if done.returncode == 0 and has_official_plugin():
        return True
    say("it cannot be downloaded from here; local stacks use the stand-in provider, asked again in a day")
    tried.touch()
    return False
