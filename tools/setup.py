"""Make this checkout ready to run: Python and npm dependencies by lock file, and the Pulumi CLI.

Runs on the system's Python with nothing installed. Each step leaves a stamp, so that a second run takes a
moment. Nothing is installed system-wide: `.venv` and `node_modules` lie in the checkout, the Pulumi CLI in the
user's cache folder, by version.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tarfile
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
STATE = ROOT / ".inferstack"
PULUMI_VERSION = "3.259.0"
# Exit codes that pipelines rely on came with 3.227; refresh --preview-only without a lock with 3.229.
OLDEST_PULUMI = (3, 229, 0)
RELEASES = "https://get.pulumi.com/releases/sdk"  # archives, and a list of their SHA-256 sums for each version
OFFLINE_VARIABLE = "INFERSTACK_OFFLINE"


class SetupError(Exception):
    """What is missing and how to get it, in one sentence."""


def main() -> int:
    try:
        started = time.monotonic()
        require_python()
        install_python_packages()
        install_npm_packages()
        pulumi, origin = find_or_build_pulumi()
        plugin = find_official_plugin(pulumi)
        record_toolchain(pulumi, origin, plugin)
    except SetupError as error:
        print(f"setup: error: {error}", file=sys.stderr)
        return 1
    took = time.monotonic() - started
    if took > 2:
        say(f"ready in {took:.0f} s")
    return 0


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def require_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs on whatever Python the user has
        raise SetupError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")


def digest_of(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def install_python_packages() -> None:
    lock = ROOT / "requirements.lock"
    stamp, want = VENV / ".inferstack-stamp", digest_of(lock, ROOT / "pyproject.toml") + sys.version
    if stamp.exists() and stamp.read_text() == want:
        return
    say("Python packages from requirements.lock")
    if not (VENV / "bin" / "python").exists():
        run([sys.executable, "-m", "venv", str(VENV)], "the venv module of Python is needed (Debian: python3-venv)")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(lock)], "the Python packages could not be installed")
    # A plain path, not an import hook, which would cost every process 16 ms.
    editable = ["--no-deps", "--no-build-isolation", "--config-settings", "editable_mode=compat", "-e", str(ROOT)]
    run([*pip, *editable], "inferstack itself could not be installed")
    stamp.write_text(want)


def install_npm_packages() -> None:
    modules = ROOT / "node_modules"
    stamp, want = modules / ".inferstack-stamp", digest_of(ROOT / "package-lock.json")
    if stamp.exists() and stamp.read_text() == want:
        return
    if shutil.which("npm") is None:
        raise SetupError("npm is not on PATH; install Node.js 20 or newer: the Workers runtime comes as an npm package")
    say("npm packages from package-lock.json (the Workers runtime; wrangler and TypeScript for the tests)")
    run(["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"], "npm ci failed", cwd=ROOT, quiet=True)
    stamp.write_text(want)


def find_or_build_pulumi() -> tuple[Path, str]:
    """The CLI and where it is from: PATH, then Pulumi's own release, then a build from Go modules."""
    on_path = shutil.which("pulumi")
    if on_path and pulumi_version(Path(on_path)) >= OLDEST_PULUMI:
        return Path(on_path).resolve(), "PATH"
    if on_path:
        say(f"{on_path} is older than {'.'.join(map(str, OLDEST_PULUMI))}; not used")
    home = cache_folder() / "pulumi" / f"v{PULUMI_VERSION}"
    for origin in ("installer", "go"):
        binary = home / origin / "bin" / "pulumi"
        if binary.exists():
            return binary, origin
    if install_official(home / "installer"):
        return home / "installer" / "bin" / "pulumi", "installer"
    return build_with_go(home / "go"), "go"


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inferstack"


def pulumi_version(binary: Path) -> tuple[int, ...]:
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    out = subprocess.run([str(binary), "version"], capture_output=True, text=True, env=environment, check=False).stdout
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", out.strip())
    return tuple(map(int, match.groups())) if match else (0, 0, 0)


def install_official(target: Path, releases: str = RELEASES) -> bool:
    """Pulumi's own release; False where there is no network for it.

    Not its `install.sh`, which would be run unseen: the archive is held against the release's list of sums, then unpacked.
    """
    name = release_name()
    if os.environ.get(OFFLINE_VARIABLE) or name is None:
        return False
    say(f"Pulumi CLI {PULUMI_VERSION}: trying the official release")
    try:
        sums = download(f"{releases}/pulumi-{PULUMI_VERSION}-checksums.txt").decode()
        archive = download(f"{releases}/{name}")
    except (OSError, ValueError):
        say("the release cannot be reached from here; building from Go modules instead")
        return False
    listed = {words[1]: words[0] for line in sums.splitlines() if len(words := line.split()) == 2}
    if listed.get(name) != hashlib.sha256(archive).hexdigest():
        say(f"{name} is not what the release's list of sums says; building from Go modules instead")
        return False
    unpack(archive, target)
    return (target / "bin" / "pulumi").exists()


def release_name() -> str | None:
    """Of the archive for this machine; None for machines that have none of this form."""
    machine = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}.get(platform.machine().lower())
    system = {"Linux": "linux", "Darwin": "darwin"}.get(platform.system())
    return f"pulumi-v{PULUMI_VERSION}-{system}-{machine}.tar.gz" if machine and system else None


def download(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=20) as answer:  # noqa: S310 - an address of this file
        data: bytes = answer.read()
        return data


def unpack(archive: bytes, target: Path) -> None:
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
        raise SetupError(
            "there is no Pulumi CLI on PATH, its release cannot be reached, and Go is not on PATH to build it: "
            "install Pulumi (pulumi.com/docs/install) or Go 1.26"
        )
    module = ROOT / "tools" / "pulumi"
    package = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
    version = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{PULUMI_VERSION}"
    partial = target.with_name(target.name + f".partial-{os.getpid()}")
    say(f"Pulumi CLI {PULUMI_VERSION}: building from Go modules, once on this machine (about 4 minutes on two cores)")
    # No `go mod download` first: it also asks for the metadata of modules that the build does not need.
    with Progress("downloading and compiling"):
        run(
            [go, "build", "-trimpath", "-ldflags", f"-s -w {version}", "-o", str(partial / "bin" / "pulumi"), package],
            "the Pulumi CLI could not be built",
            cwd=module,
        )
    listed = [go, "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]
    sdk = Path(subprocess.run(listed, cwd=module, capture_output=True, text=True, check=True).stdout.strip())
    (partial / "libexec").mkdir()
    for script in ("python/dist/pulumi-resource-pulumi-python", "python/cmd/pulumi-language-python-exec"):
        copy = partial / "libexec" / Path(script).name
        shutil.copyfile(sdk / script, copy)
        copy.chmod(0o755)
    if target.exists():
        shutil.rmtree(partial)
    else:
        partial.rename(target)
    return target / "bin" / "pulumi"


class Progress:
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


def find_official_plugin(pulumi: Path) -> bool:
    """Whether Pulumi has, or can now download, the official Cloudflare provider of the pinned version."""
    version = plugin_version()
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    folder = home / "plugins" / f"resource-cloudflare-v{version}"
    if folder.exists():
        return True
    tried = cache_folder() / f"no-plugin-{version}"
    if os.environ.get(OFFLINE_VARIABLE) or (tried.exists() and time.time() - tried.stat().st_mtime < 86_400):
        return False
    say(f"official Cloudflare provider {version}: asking Pulumi to install it")
    command = [str(pulumi), "plugin", "install", "resource", "cloudflare", f"v{version}"]
    environment = {**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"}
    done = subprocess.run(command, capture_output=True, env=environment, check=False)
    if done.returncode == 0 and folder.exists():
        return True
    say("it cannot be downloaded from here; local stacks use the stand-in provider, asked again in a day")
    tried.parent.mkdir(parents=True, exist_ok=True)
    tried.touch()
    return False


def plugin_version() -> str:
    match = re.search(r"^pulumi-cloudflare==(\S+)", (ROOT / "requirements.lock").read_text(), re.MULTILINE)
    if match is None:
        raise SetupError("requirements.lock does not pin pulumi-cloudflare")
    return match.group(1)


def record_toolchain(pulumi: Path, origin: str, official_plugin: bool) -> None:
    STATE.mkdir(mode=0o700, exist_ok=True)
    facts = {"pulumi": str(pulumi), "pulumi_from": origin, "official_cloudflare_plugin": official_plugin}
    (STATE / "toolchain.json").write_text(json.dumps(facts, indent=2) + "\n")


def run(command: list[str], problem: str, cwd: Path = ROOT, quiet: bool = False) -> None:
    done = subprocess.run(command, cwd=cwd, check=False, stdout=subprocess.PIPE if quiet else sys.stderr)
    if done.returncode != 0:
        raise SetupError(
            f"{problem} (`{' '.join(command[:4])} …` ended with {done.returncode}; its own words are above)"
        )


if __name__ == "__main__":
    sys.exit(main())
