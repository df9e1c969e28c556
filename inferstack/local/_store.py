"""The state of the local Cloudflare on disk: one SQLite file, durable when a write is acknowledged.

Control-plane objects are JSON documents by kind and key. `owner` is the idempotency key of the request that made
the document: a create that is sent again after a lost answer finds its own object instead of a conflict.
"""

from __future__ import annotations

import json
import os
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from inferstack.local._damage import as_user_error, check_length

Document = dict[str, Any]

SCHEMA = """
create table if not exists documents (
  kind text not null, key text not null, owner text, body text not null, sequence integer primary key autoincrement,
  unique (kind, key));
create index if not exists documents_by_name on documents (kind, json_extract(body, '$.name'));
create index if not exists documents_of_worker on documents (kind, json_extract(body, '$.worker_id'));
create table if not exists secrets (scope text not null, name text not null, value text not null,
  primary key (scope, name)) without rowid;
create table if not exists kv_entries (namespace text not null, key text not null, value blob not null,
  metadata text, expiration integer, primary key (namespace, key)) without rowid;
create table if not exists queue_messages (id text primary key, queue text not null, body blob not null,
  format text not null, attempts integer not null default 0, sent_ms integer not null, visible_ms integer not null,
  lease text) without rowid;
drop index if exists queue_messages_due;
create index if not exists queue_messages_next on queue_messages (queue, visible_ms, sent_ms, id);
create index if not exists queue_messages_by_age on queue_messages (queue, sent_ms);
create index if not exists queue_messages_leased on queue_messages (lease) where lease is not null;
create table if not exists queue_backlogs (queue text primary key, count integer not null, bytes integer not null)
  without rowid;
insert or ignore into queue_backlogs select queue, count(*), sum(length(body)) from queue_messages
  where not exists (select 1 from queue_backlogs) group by queue;
create trigger if not exists queue_messages_come after insert on queue_messages begin
  insert into queue_backlogs values (new.queue, 1, length(new.body))
    on conflict (queue) do update set count = count + 1, bytes = bytes + length(new.body);
end;
create trigger if not exists queue_messages_go after delete on queue_messages begin
  update queue_backlogs set count = count - 1, bytes = bytes - length(old.body) where queue = old.queue;
end;
create table if not exists vectors (vector_index text not null, id text not null, namespace text, vector blob not null,
  metadata text, indexed text, primary key (vector_index, id)) without rowid;
create table if not exists gateway_logs (id text primary key, gateway text not null, created_ms integer not null,
  body text not null) without rowid;
create index if not exists gateway_logs_newest on gateway_logs (gateway, created_ms);
create table if not exists gateway_cache (key text primary key, gateway text not null, expires_ms integer not null,
  body text not null) without rowid;
"""


DATABASE = "cloudflare.db"


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def hex_id() -> str:
    return secrets.token_hex(16)


def uuid_id() -> str:
    return str(uuid.uuid4())


def open_database(path: Path) -> apsw.Connection:
    """A connection whose commits survive a kill of this process; when the power fails the last ones may be lost, whole.

    `full` would wait for the disk with each commit, as no other local Cloudflare does: D1 inserts took twice as long.
    """
    connection = apsw.Connection(str(path))
    connection.set_busy_timeout(5000)
    for setting in ("journal_mode = wal", "synchronous = normal", "foreign_keys = on"):
        list(connection.execute(f"pragma {setting}"))  # one by one: a cursor stops at its first row
    return connection


class Store:
    """Documents, and the tables of the products, in one database."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(folder, 0o700)  # noqa: PTH101 - holds the secrets of the Workers
        self.folder = folder
        try:
            check_length(folder / DATABASE)
            self.db = open_database(folder / DATABASE)
            self.db.execute(SCHEMA)
            # The list of pages is read, not each of them: a damaged one answers when it is met.
            list(self.db.execute("pragma schema_version"))
        except (apsw.Error, OSError) as error:
            raise as_user_error(folder, DATABASE, error) from None

    def close(self) -> None:
        self.db.close()

    def one(self, sql: str, values: Sequence[Any] = ()) -> tuple[Any, ...]:
        """The one row of an aggregate."""
        row = self.db.execute(sql, tuple(values)).fetchone()
        assert row is not None
        return tuple(row)

    def get(self, kind: str, key: str) -> Document | None:
        row = self.db.execute("select body from documents where kind = ? and key = ?", (kind, key)).fetchone()
        return json.loads(row[0]) if row else None

    def owner_of(self, kind: str, key: str) -> str | None:
        row = self.db.execute("select owner from documents where kind = ? and key = ?", (kind, key)).fetchone()
        return row[0] if row else None

    def put(self, kind: str, key: str, body: Document, owner: str | None = None) -> Document:
        self.db.execute(
            "insert into documents (kind, key, owner, body) values (?, ?, ?, ?) "
            "on conflict (kind, key) do update set body = excluded.body, owner = coalesce(excluded.owner, owner)",
            (kind, key, owner, json.dumps(body)),
        )
        return body

    def delete(self, kind: str, key: str) -> bool:
        self.db.execute("delete from documents where kind = ? and key = ?", (kind, key))
        return bool(self.db.changes())

    def list_all(self, kind: str) -> list[Document]:
        """All of a kind, in the order they were made."""
        rows = self.db.execute("select body from documents where kind = ? order by sequence", (kind,))
        return [json.loads(row[0]) for row in rows]

    def items(self, kind: str) -> list[tuple[str, Document]]:
        """The same, each with its key."""
        rows = self.db.execute("select key, body from documents where kind = ? order by sequence", (kind,))
        return [(row[0], json.loads(row[1])) for row in rows]

    def find(self, kind: str, **fields: str) -> Document | None:
        """The first one with these fields."""
        where, values = _with(fields)
        sql = f"select body from documents where kind = ?{where} order by sequence limit 1"  # noqa: S608
        row = self.db.execute(sql, (kind, *values)).fetchone()
        return json.loads(row[0]) if row else None

    def newest(self, kind: str, most: int = 1, **fields: str) -> list[Document]:
        """The last ones with these fields, newest first. For those that grow in number: they are not read all."""
        where, values = _with(fields)
        sql = f"select body from documents where kind = ?{where} order by sequence desc limit ?"  # noqa: S608
        return [json.loads(row[0]) for row in self.db.execute(sql, (kind, *values, most))]

    def keys(self, kind: str, most: int = -1, **fields: str) -> list[str]:
        """The keys of the same, of all as a rule."""
        where, values = _with(fields)
        sql = f"select key from documents where kind = ?{where} order by sequence desc limit ?"  # noqa: S608
        return [row[0] for row in self.db.execute(sql, (kind, *values, most))]

    def outlines(self, kind: str, without: str, **fields: str) -> list[Document]:
        """All of them, oldest first, without a field that is large."""
        where, values = _with(fields)
        sql = f"select json_remove(body, ?) from documents where kind = ?{where} order by sequence"  # noqa: S608
        return [json.loads(row[0]) for row in self.db.execute(sql, (f"$.{without}", kind, *values))]

    def set_secret(self, scope: str, name: str, value: str) -> None:
        self.db.execute("insert or replace into secrets values (?, ?, ?)", (scope, name, value))

    def secrets(self, scope: str) -> dict[str, str]:
        return dict(self.db.execute("select name, value from secrets where scope = ?", (scope,)))

    def drop_secret(self, scope: str, name: str) -> None:
        self.db.execute("delete from secrets where scope = ? and name = ?", (scope, name))

    def drop_secrets(self, scope: str) -> None:
        self.db.execute("delete from secrets where scope = ?", (scope,))


def _with(fields: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """A condition on the body; the names are this code's own, and those with an index above cost no search."""
    return "".join(f" and json_extract(body, '$.{name}') = ?" for name in fields), tuple(fields.values())
