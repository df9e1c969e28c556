"""Static assets: the folder and its files, the rules among them, and what needs code beside them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inferstack import catalog
from inferstack.asset_files import IGNORED, PAGES_CODE, asset_files, served_files
from inferstack.catalog import asset_rules
from inferstack.config.asset_models import AssetsSpec
from inferstack.config.findings.report import Report
from inferstack.config.paths import leaves
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.tree import KeyPath

HEADERS, REDIRECTS = "/_headers", "/_redirects"
MEGABYTE = 1024 * 1024


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, worker in spec.workers.items():
        if worker.assets is None:
            continue
        at: KeyPath = ("workers", key, "assets")
        if worker.has_code:
            _check_binding(worker, worker.assets, at, report)
        else:
            _check_alone(worker, worker.assets, at, report)
        files = _files(worker.assets, root, (*at, "directory"), report)
        _check_rules(spec, files, worker.assets, (*at, "directory"), report)
        _check_pages_code(worker, root, (*at, "directory"), report)


def _check_binding(worker: WorkerSpec, assets: AssetsSpec, at: KeyPath, report: Report) -> None:
    sections: dict[str, Iterable[str]] = {
        "bindings": worker.bindings,
        "objects": worker.bound_objects,
        "workflows": worker.workflows,
    }
    sections |= {"vars": worker.vars, "secrets": worker.secrets}
    for section, names in sections.items():
        if assets.binding is not None and assets.binding in names:
            problem = f"`{assets.binding}` stands under `assets` and under `{section}`; both are `env.{assets.binding}`"
            report("IS055", (*at, "binding"), problem, "rename one of them")


def _check_alone(worker: WorkerSpec, assets: AssetsSpec, at: KeyPath, report: Report) -> None:
    for name in ("binding", "run_worker_first"):
        if getattr(assets, name):
            report(
                "IS104", (*at, name), f"`{name}` is for code, and this Worker has none", "add `source:`, or remove it"
            )
    for section in ("bindings", "objects", "workflows", "vars", "secrets", "crons", "models", "options"):
        if getattr(worker, section):
            problem = f"`{section}` is for code, and this Worker has static assets only"
            report("IS104", (*at[:2], section), problem, "add `source:`, or remove it")


def _files(assets: AssetsSpec, root: Path, at: KeyPath, report: Report) -> dict[str, Path]:
    folder = root / assets.directory
    if leaves(folder, root):
        report("IS017", at, f"the path `{assets.directory}` leaves the project", "name a folder of the project")
        return {}
    try:
        files = asset_files(folder) if assets.site else served_files(folder)
    except OSError as error:
        problem = f"the folder `{assets.directory}` cannot be read: {error.strerror}"
        report("IS080", at, problem, "build it first (such as `npm run build`), or correct the path")
        return {}
    most = catalog.limit("workers", "static_asset_files_per_version")
    largest = catalog.limit("workers", "static_asset_file_size")
    if not files:
        report("IS080", at, f"the folder `{assets.directory}` has no files", "build it first, or correct the path")
    if len(files) > most:
        report(
            "IS105", at, f"`{assets.directory}` has {len(files):,} files; a version may have {most:,}", "leave some out"
        )
    for path, file in files.items():
        if leaves(file, root):
            report("IS017", at, f"`{assets.directory}{path}` leads out of the project", "put the file itself there")
        elif file.stat().st_size > largest * MEGABYTE:
            size = file.stat().st_size / MEGABYTE
            problem = f"`{assets.directory}{path}` has {size:.1f} MiB; a file may have {largest}"
            report("IS105", at, problem, "keep it in R2, or make it smaller")
    return files


def _check_rules(spec: StackSpec, files: dict[str, Path], assets: AssetsSpec, at: KeyPath, report: Report) -> None:
    readers = {HEADERS: asset_rules.read_headers, REDIRECTS: asset_rules.read_redirects}
    for path, read in readers.items():
        if path not in files:
            continue
        name = f"{assets.directory.rstrip('/')}{path}"
        for problem in read(files[path].read_text(encoding="utf-8", errors="replace")).problems:
            report("IS106", at, f"{name}:{problem.line} is left out: {problem.text}", "correct the line, or remove it")
        if spec.target == "cloudflare":
            problem_text = (
                f"`{name}` works on the local Cloudflare and in wrangler; the official provider does not send it"
            )
            report("IS107", at, problem_text, "set headers and redirects in the Worker's code (`run_worker_first`)")


def _check_pages_code(worker: WorkerSpec, root: Path, at: KeyPath, report: Report) -> None:
    """It is quiet where it is the code of the Worker, or an ignore file speaks of what is meant."""
    assert worker.assets is not None
    directory = worker.assets.directory.rstrip("/")
    code = f"{directory}{PAGES_CODE}"
    is_code = worker.source is not None and Path(worker.source).is_relative_to(code)
    if (root / code).exists() and not (root / f"{directory}{IGNORED}").exists() and not is_code:
        problem = f"`{code}` is not served: it would show the code of a Pages project to everyone"
        report(
            "IS107",
            at,
            problem,
            f"name it as `source`, or add a file `{directory}{IGNORED}`: what it names is left out",
        )
