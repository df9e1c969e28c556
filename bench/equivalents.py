"""Mutants that no test can tell from the original, by module: (function, change) → why. They are not tried."""

from __future__ import annotations

TYPES_ONLY = "read by type checkers only"

NEVER_REACHED = "the fifth try waits 8 seconds"
NEVER_WAITED_FOR = "no test waits a minute"

EQUIVALENT: dict[str, dict[tuple[str, str], str]] = {
    "inferstack/cloudflare/api_error.py": {("", "TYPE_CHECKING → not TYPE_CHECKING"): TYPES_ONLY},
    "inferstack/cloudflare/client.py": {
        ("", "30.0 → 31.0"): NEVER_REACHED,
        ("", "30.0 → 29.0"): NEVER_REACHED,
        ("Client.__init__", "60 → 61"): NEVER_WAITED_FOR,
        ("Client.__init__", "60 → 59"): NEVER_WAITED_FOR,
        ("Client.__init__", "'/' → 'XX/XX'"): "strips the same characters of every address",
        ("RetryTransport.__init__", "0 → -1"): "no tries more either way",
        ("RetryTransport.handle_request", "'unreachable' → 'XXunreachableXX'"): "is never raised",
        ("RetryTransport.handle_request", "'' → 'XX'"): "is no header either way",
    },
    "inferstack/cloudflare/deployments.py": {("Traffic._left", "'' → 'XX'"): "names no version either way"},
    "inferstack/plugin/diff.py": {
        ("", "'add' → 'XXaddXX'"): TYPES_ONLY,
        ("", "'delete' → 'XXdeleteXX'"): TYPES_ONLY,
        ("", "'update' → 'XXupdateXX'"): TYPES_ONLY,
    },
}
