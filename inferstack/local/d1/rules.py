"""What SQL may do on D1: limits as published (facts `limits.json`), and what Cloudflare's authorizer refuses."""

from __future__ import annotations

import apsw

from inferstack.local.d1.metered import Meter

STATEMENT_BYTES = 100_000
LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: 2_000_000,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 32,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
    # On no page; measured on workerd, whose SQL D1 runs on.
    apsw.SQLITE_LIMIT_EXPR_DEPTH: 100,
    apsw.SQLITE_LIMIT_COMPOUND_SELECT: 5,
}
# Those that D1's page on SQL statements lists. `data_version` and `page_size` are asked by full text search itself.
PRAGMAS = frozenset(
    (
        "case_sensitive_like",
        "compile_options",
        "data_version",
        "defer_foreign_keys",
        "foreign_key_check",
        "foreign_key_list",
        "foreign_keys",
        "function_list",
        "ignore_check_constraints",
        "index_info",
        "index_list",
        "index_xinfo",
        "legacy_alter_table",
        "optimize",
        "page_count",
        "page_size",
        "pragma_list",
        "quick_check",
        "recursive_triggers",
        "reverse_unordered_selects",
        "table_info",
        "table_list",
        "table_xinfo",
    )
)
# They would outlive the query on a connection that others use too.
STICKY = frozenset(
    (
        "case_sensitive_like",
        "ignore_check_constraints",
        "legacy_alter_table",
        "recursive_triggers",
        "reverse_unordered_selects",
    )
)
MODULES = frozenset(("fts5", "fts5vocab", "rtree"))
OWN = "_cf_"  # how names of Cloudflare's own tables begin
# The first line reaches beyond the database; the rest workerd does not know or not allow: each was tried there.
FUNCTIONS = frozenset(
    (
        *("load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"),
        *("ceiling", "fts5", "fts5_get_locale", "fts5_insttoken", "fts5_locale", "fts5_source_id"),
        *("json_array_insert", "json_error_position", "json_pretty", "jsonb_array_insert", "log10", "power"),
        *("rtreedepth", "rtreenode", "sqlite_compileoption_get", "sqlite_compileoption_used", "sqlite_log"),
        *("sqlite_source_id", "sqlite_version", "subtype", "unistr", "unistr_quote"),
    )
)
TRANSACTIONS = frozenset((apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT))
REFUSED = frozenset(
    (
        apsw.SQLITE_ATTACH,
        apsw.SQLITE_DETACH,
        apsw.SQLITE_CREATE_TEMP_INDEX,
        apsw.SQLITE_CREATE_TEMP_TABLE,
        apsw.SQLITE_CREATE_TEMP_TRIGGER,
        apsw.SQLITE_CREATE_TEMP_VIEW,
    )
)


class Authorizer:
    """Asked by SQLite for each thing a statement does, whatever the statement looks like."""

    def __init__(self, meter: Meter) -> None:
        self._meter = meter
        self.transaction = False  # whether the last refusal was one of a transaction statement
        self.sticky: set[str] = set()

    def __call__(self, action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
        self._meter.told.add(action, first or "", second or "")
        if action in TRANSACTIONS:
            self.transaction = True
            return apsw.SQLITE_DENY
        return apsw.SQLITE_DENY if action in REFUSED else self._named(action, first or "", second)

    def _named(self, action: int, first: str, second: str | None) -> int:
        if action == apsw.SQLITE_PRAGMA:
            if first.lower() in STICKY and second is not None:
                self.sticky.add(first.lower())
            return apsw.SQLITE_OK if first.lower() in PRAGMAS else apsw.SQLITE_DENY
        if action == apsw.SQLITE_CREATE_TABLE and first.lower().startswith(OWN):
            return apsw.SQLITE_DENY
        if action == apsw.SQLITE_CREATE_VTABLE:
            return apsw.SQLITE_OK if (second or "").lower() in MODULES else apsw.SQLITE_DENY
        if action == apsw.SQLITE_FUNCTION and (second or "").lower() in FUNCTIONS:
            return apsw.SQLITE_DENY
        return apsw.SQLITE_OK


def confine(connection: apsw.Connection) -> None:
    """What holds for good on a connection that runs users' SQL."""
    for limit, value in LIMITS.items():
        connection.limit(limit, value)
    connection.enable_load_extension(False)
    connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
    connection.config(apsw.SQLITE_DBCONFIG_WRITABLE_SCHEMA, 0)
