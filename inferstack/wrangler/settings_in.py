"""What an environment of wrangler's inherits from the top level: code, times, addresses, limits, logs."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from inferstack.config import BundleRule
from inferstack.wrangler import pages
from inferstack.wrangler.reading import Unfit, Value
from inferstack.wrangler.section import Reader, Section, script_of
from inferstack.wrangler.wrangler_file import dotted

ZONE = re.compile(r"[0-9a-f]{32}")
HOSTNAME = re.compile(r"([a-z0-9-]+\.)+[a-z]{2,}")
# Of wrangler itself and of its `dev`, or facts on the file that a build wrote: none changes what is deployed.
NO_MATTER = {
    "$schema",
    "configPath",
    "definedEnvironments",
    "dev",
    "env",
    "legacy_env",
    "name",
    "send_metrics",
    "targetEnvironment",
    "topLevelName",
    "type",
    "userConfigPath",
}
CODE = ("ESModule", "CommonJS")
# What a build writes out though it is wrangler's default.
DEFAULTS: dict[str, list[Any]] = {
    "jsx_factory": ["React.createElement"],
    "jsx_fragment": ["React.Fragment"],
    "python_modules": [{"exclude": ["**/*.pyc"]}],
    "build": [{"watch_dir": "./src"}],
}


def _flags(section: Section, value: Value) -> None:
    section.entry["compatibility_flags"] = value.texts()


def _routes(section: Section, value: Value) -> None:
    for item in value.items() if isinstance(value.raw, list) else [value]:
        section.attempt(_route, item)


def _route(section: Section, item: Value) -> None:
    if isinstance(item.raw, str):
        section.left_out(item, "a route needs the id of its zone: add it under `routes:`")
        return
    pattern, custom, zone = item.need("pattern"), item.get("custom_domain"), _zone(item)
    if custom is not None and custom.flag():
        hostname, named = pattern.text().lower(), item.get("zone_name")
        if not HOSTNAME.fullmatch(hostname):
            raise Unfit(item.path, f"`{hostname}` is no host name")
        if named is not None and f".{hostname}".endswith(f".{named.text()}"):
            named.done()  # the host name says it
        section.entry.setdefault("domains", []).append({"hostname": hostname, **({"zone": zone} if zone else {})})
    elif zone:
        text = re.sub(r"^https?://", "", pattern.text())
        section.entry.setdefault("routes", []).append({"pattern": text, "zone": zone})
    else:
        section.left_out(item, "a route needs the id of its zone: add it under `routes:`")


def _zone(item: Value) -> str | None:
    given = item.get("zone_id")
    if given is not None and not ZONE.fullmatch(given.text()):
        raise Unfit(given.path, f"`{given.raw}` is no id of a zone: 32 hexadecimal digits")
    return given.text() if given else None


def _placement(section: Section, value: Value) -> None:
    mode, given = value.get("mode"), [key for key in ("region", "host", "hostname") if value.get(key)]
    if mode is not None and mode.text() == "smart":
        section.entry["placement"] = "smart"
    if given:
        section.raw("version", placement={key: value.need(key).text() for key in given})


def _limits(section: Section, value: Value) -> None:
    cpu, calls = value.get("cpu_ms"), value.get("subrequests")
    if cpu is not None:
        section.entry["cpu_ms"] = cpu.number()
    if calls is not None:
        section.raw("version", limits={"cpuMs": cpu.number()} if cpu else {})
        section.entry["raw"]["version"]["limits"]["subrequests"] = calls.number()


def _triggers(section: Section, value: Value) -> None:
    crons = value.get("crons")
    if crons is not None and crons.raw:
        section.entry["crons"] = crons.texts()


def _observability(section: Section, value: Value) -> None:
    """One word when it says no more; `enabled` of the parts is their own."""
    found = _part(value, {"enabled": "enabled", "head_sampling_rate": "headSamplingRate"})
    own = {"invocation_logs": "invocationLogs", "persist": "persist", "destinations": "destinations"}
    known = {"enabled": "enabled", "head_sampling_rate": "headSamplingRate", **own}
    section.entry["observability"] = bool(found.get("enabled", False))
    parts = {name: _part(inner, known) for name in ("logs", "traces") if (inner := value.get(name)) and inner.raw}
    if parts or found.get("headSamplingRate", 1) != 1:
        section.raw("worker", observability={"enabled": False, "headSamplingRate": 1, **found, **parts})


def _part(value: Value, known: dict[str, str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for theirs, ours in known.items():
        given = value.get(theirs)
        if given is None:
            continue
        if ours == "headSamplingRate":
            if isinstance(given.raw, bool) or not isinstance(given.raw, int | float):
                raise given.unfit("a number from 0 to 1")
            found[ours] = given.done()
        elif ours == "destinations":
            found[ours] = given.texts()
        else:
            found[ours] = given.flag()
    return found


def _logpush(section: Section, value: Value) -> None:
    if value.flag():
        section.raw("worker", logpush=True)


def _tail_consumers(section: Section, value: Value) -> None:
    for item in value.items():
        section.tails.append((script_of(item.need("service"), item.get("environment")), item))


def _as_it_is(section: Section, value: Value) -> None:
    """JavaScript that is not to be bundled is not: it goes up as it stands when it imports only its own files."""
    main = section.keys.get("main")
    if main is not None and str(main.raw).endswith((".js", ".mjs")):
        value.flag()


def _alias(section: Section, value: Value) -> None:
    found = {name: given.text() for name, given in value.mapping().items()}
    section.bundle(alias={name: f"./{section.path(to)}" if to.startswith(".") else to for name, to in found.items()})


def _globals(kind: str) -> Reader:
    """Files whose content is a global; wrangler has them for service-worker syntax alone."""

    def read(section: Section, value: Value) -> None:
        found = section.entry.get("bundle", {}).get("globals", {})
        for name, given in value.mapping().items():
            if kind == "CompiledWasm" and not str(given.raw).endswith(".wasm"):
                raise Unfit(given.path, f"`{dotted(given.path)}` must be a file that ends in `.wasm`")
            found[name] = {"type": kind, "file": section.path(given.text())}
        section.bundle(globals=found)

    return read


def _additional(section: Section, value: Value) -> None:
    """The folder is the entry's own unless `base_dir` says another one."""
    base, main = section.keys.get("base_dir"), section.keys.get("main")
    if not value.flag() or main is None:
        return
    folder = section.path(base.text() if base else str(Path(main.text()).parent))
    rules = section.keys.get("rules")
    code = [rule for rule in rules.items() if rule.need("type").raw in CODE] if rules else []
    globs = [glob for rule in code for glob in rule.need("globs").texts()]
    section.bundle(additional={"directory": folder, **({"globs": globs} if globs else {})})


def _only_of_modules(section: Section, value: Value) -> None:
    """What says something of additional modules only."""
    if section.keys.get("find_additional_modules") is not None:
        value.done()


def _tsconfig(section: Section, value: Value) -> None:
    section.bundle(tsconfig=section.path(value.text()))


def _rules(section: Section, value: Value) -> None:
    """Which files are no code; what is code, a bundle knows by itself."""
    for item in value.items():
        section.attempt(_rule, item)


def _rule(section: Section, item: Value) -> None:
    kind, globs = item.need("type").text(), item.need("globs").texts()
    item.ignore("fallthrough")  # on: a suffix of one's own is told beside the usual ones
    if kind in CODE:
        return
    try:
        rule = BundleRule(type=kind, globs=globs)  # type: ignore[arg-type]  # what it may be, the model says
    except ValidationError:
        raise Unfit(
            item.path,
            f"`{dotted(item.path)}`: {kind} by {', '.join(globs)}; files are told by their end, as in `**/*.md`",
        ) from None
    section.bundle(rules=[*section.entry.get("bundle", {}).get("rules", []), rule.model_dump()])


def _workers_dev(section: Section, value: Value) -> None:
    section.subdomain["enabled"] = value.flag()


def _preview_urls(section: Section, value: Value) -> None:
    section.subdomain["previewsEnabled"] = value.flag()


def _assets(section: Section, value: Value) -> None:
    """The folder is from wrangler's file; without one, files are another tool's, such as Vite's before its build."""
    directory, binding, first = value.need("directory"), value.get("binding"), value.get("run_worker_first")
    found: dict[str, Any] = {"directory": section.path(directory.text())}
    if binding is not None:
        found["binding"] = section.free_name(binding)
    for name in ("html_handling", "not_found_handling"):
        if (given := value.get(name)) is not None:
            found[name] = given.text()
    if first is not None:
        found["run_worker_first"] = first.texts() if isinstance(first.raw, list) else first.flag()
    section.entry["assets"] = found


def _site(section: Section, value: Value) -> None:
    """Workers Sites; their older `entry-point` is the folder of the code."""
    entry, which = value.get("entry-point"), {}
    for name in ("include", "exclude"):
        if (given := value.get(name)) is not None:
            which[name] = given.texts()
    section.entry["assets"] = {
        "directory": section.path(value.need("bucket").text()),
        "binding": "__STATIC_CONTENT",
        "html_handling": "none",
        "run_worker_first": True,
        "site": which,
    }
    if entry is not None and not section.entry["source"] and section.keys.get("main") is None:
        section.entry["source"] = section.path(f"{entry.text()}/index.js")


SETTINGS = {
    "pages_build_output_dir": pages.read_output,
    "site": _site,
    "assets": _assets,
    "compatibility_flags": _flags,
    "route": _routes,
    "routes": _routes,
    "placement": _placement,
    "limits": _limits,
    "triggers": _triggers,
    "observability": _observability,
    "logpush": _logpush,
    "tail_consumers": _tail_consumers,
    "workers_dev": _workers_dev,
    "preview_urls": _preview_urls,
    "no_bundle": _as_it_is,
    "alias": _alias,
    "rules": _rules,
    "tsconfig": _tsconfig,
    "wasm_modules": _globals("CompiledWasm"),
    "text_blobs": _globals("Text"),
    "data_blobs": _globals("Data"),
    "find_additional_modules": _additional,
    "base_dir": _only_of_modules,
    "preserve_file_names": _only_of_modules,
}


def add_subdomain(section: Section) -> None:
    """workers.dev is on by itself where there is no other address; previews are on when asked for."""
    elsewhere = bool(section.entry.get("routes") or section.entry.get("domains"))
    wanted = {"enabled": not elsewhere, "previewsEnabled": False, **section.subdomain}
    if wanted != {"enabled": True, "previewsEnabled": False}:
        section.raw("worker", subdomain=wanted)


# What happens to code that counts on what was left out.
WHY = {
    "containers": "the class has no container to start",
    "build": "run that command yourself before `up`",
    "keep_vars": "variables set in the dashboard go at the next `up`",
    "upload_source_maps": "errors name lines of the bundle",
}
