"""wrangler's `hyperdrive`: a database behind a configuration's id, and for `wrangler dev` by its address.

The address holds a password, so that it goes into no stack file. wrangler reads it from CLOUDFLARE_HYPERDRIVE_LOCAL_…, out
of the environment or `.dev.vars`, and from `localConnectionString` in its own file.
"""

from __future__ import annotations

import os
from urllib.parse import urlsplit

from inferstack.wrangler.dev_vars import files_of, names_in
from inferstack.wrangler.reading import Value
from inferstack.wrangler.section import Section

VARIABLE = "CLOUDFLARE_HYPERDRIVE_LOCAL_CONNECTION_STRING_"
SECRETS = ".inferstack/secrets"


def hyperdrive(section: Section, item: Value) -> None:
    """One of `hyperdrive`. Where nothing tells the address here, `wrangler dev` would not start either."""
    item.ignore("remote")
    binding, identity = item.need("binding"), item.get("id")
    variable, local = f"{VARIABLE}{binding.text()}", item.get("localConnectionString")
    address = local.text() if local is not None and local.raw else ""
    at_cloudflare = section.draft.target != "local"
    folder = section.root / section.file.folder
    given = [f.name for f in files_of(folder, section.environment) if names_in(f, section.root).get(variable)]
    known = at_cloudflare or given or os.environ.get(variable) or _complete(address)
    if not known:
        section.left_out(item, f"set {variable} to the database's address and import again")
        section.unbound(binding.text(), "hyperdrive without an address")
        return
    of_what = identity.text() if identity is not None and identity.raw else f"for {section.worker}/{binding.text()}"
    key, entry = section.draft.declare("hyperdrives", of_what, binding.text())
    if "url" not in entry:
        entry["url"] = _reference(section, key, variable, given, address)
    if at_cloudflare:
        section.note(item.path, f"the address of `{key}` is read from {variable}: wrangler does not say it")
    section.bind(binding, "hyperdrive", key)


def _complete(address: str) -> bool:
    """Whether it has what a configuration on Cloudflare needs, too."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return bool(parts.scheme and parts.hostname and parts.username and parts.password and parts.path.strip("/"))


def _reference(section: Section, key: str, variable: str, given: list[str], address: str) -> str:
    if section.draft.target != "local" or (not given and os.environ.get(variable)):
        return f"env:{variable}"
    if given:
        return f"file:{section.path(given[-1])}#{variable}"
    path = f"{SECRETS}/{section.draft.name}-{key}-address"
    section.draft.private[path] = address
    return f"file:{path}"
