"""What one instance holds: its items, their parts with words and vectors, and its jobs, in files of its own.

Words are SQLite's full-text index, whose tokenizers `porter` and `trigram` are those that the service names; vectors are
kept as Vectorize's are.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferstack.local._store import Document, now, open_database, uuid_id
from inferstack.local.ai_search.chunks import Part
from inferstack.local.vectorize.collection import Collection, drop_file
from inferstack.local.vectorize.lines import Item as Vector

SCHEMA = """
create table if not exists items (id text primary key, key text not null unique, about text not null, content blob);
create table if not exists parts (id text primary key, item text not null, place integer not null, text text not null,
  start_byte integer not null, end_byte integer not null);
create index if not exists parts_of_item on parts (item, place);
create table if not exists logs (place integer primary key, of text not null, entry text not null);
create index if not exists logs_of on logs (of, place);
create table if not exists jobs (place integer primary key, id text not null unique, about text not null);
"""
WORDS = "create virtual table if not exists words using fts5 (id unindexed, text, tokenize = '{}')"
TOKENIZERS = {"porter": "porter unicode61", "trigram": "trigram"}
ITEM = "item"  # the one field of a vector that is looked for


@dataclass(frozen=True, slots=True)
class Kept:
    """A part as it is stored."""

    id: str
    item: str
    place: int
    text: str
    start_byte: int
    end_byte: int


class Index:
    """One instance's; a method may run in a thread."""

    def __init__(self, folder: Path, name: str, dimensions: int, tokenizer: str) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self._file, self._lock = folder / f"{name}.db", threading.RLock()
        self._db = open_database(self._file)
        self._db.execute(SCHEMA)
        self._db.execute(WORDS.format(TOKENIZERS[tokenizer]))
        for job in self.jobs():
            if job["ended_at"] is None:  # its process is gone
                self.put_job(job | {"ended_at": now(), "end_reason": "interrupted: start another one"})
        self._vectors_file = folder / f"{name}-vectors.db"
        self._open_vectors(dimensions)

    def _open_vectors(self, dimensions: int) -> None:
        self.dimensions = dimensions
        self._vectors = Collection(self._vectors_file, dimensions, "cosine", [ITEM], None)

    def close(self) -> None:
        self._db.close()
        self._vectors.close()

    def discard(self) -> None:
        self._db.close()
        drop_file(self._file)
        self._vectors.discard()

    def use_tokenizer(self, tokenizer: str) -> None:
        """The words of what is there are read again."""
        with self._lock, self._db:
            self._db.execute("drop table words")
            self._db.execute(WORDS.format(TOKENIZERS[tokenizer]))
            self._db.execute("insert into words select id, text from parts")

    def renew_vectors(self, dimensions: int) -> None:
        """There are none, until the items are read again: vectors of two models cannot be compared."""
        with self._lock:
            self._vectors.discard()
            self._open_vectors(dimensions)

    def items(self) -> list[Document]:
        return [json.loads(row[0]) for row in self._rows("select about from items order by key")]

    def item(self, identifier: str) -> Document | None:
        return next(
            (json.loads(row[0]) for row in self._rows("select about from items where id = ?", identifier)), None
        )

    def by_key(self, key: str) -> Document | None:
        return next((json.loads(row[0]) for row in self._rows("select about from items where key = ?", key)), None)

    def content(self, identifier: str) -> bytes:
        return bytes(next(iter(self._rows("select content from items where id = ?", identifier)), (b"",))[0] or b"")

    def put(self, about: Document, content: bytes | None = None) -> Document:
        """Add or change an item; its content stays when none is given."""
        with self._lock:
            self._db.execute(
                "insert into items values (?1, ?2, ?3, ?4) on conflict (id) do update set about = ?3, "
                "content = coalesce(?4, content)",
                (about["id"], about["key"], json.dumps(about), content),
            )
        return about

    def drop(self, identifier: str) -> None:
        self.fill(identifier, [], None)
        with self._lock:
            self._db.execute("delete from items where id = ?", (identifier,))
            self._db.execute("delete from logs where of = ?", (identifier,))

    def fill(
        self, identifier: str, parts: Sequence[Part], vectors: NDArray[np.float32] | None, words: bool = True
    ) -> None:
        """An item's parts take the place of those that it had."""
        with self._lock:
            former = [row[0] for row in self._rows("select id from parts where item = ?", identifier)]
            if former:
                self._vectors.delete(former, uuid_id())
            ids = [uuid_id() for _ in parts]
            if vectors is not None and ids:
                named = zip(ids, vectors, strict=True)
                self._vectors.write(
                    [Vector(each, None, row, None, {ITEM: identifier}) for each, row in named], True, uuid_id()
                )
            rows = [
                (i, identifier, n, p.text, p.start_byte, p.end_byte)
                for n, (i, p) in enumerate(zip(ids, parts, strict=True))
            ]
            with self._db:
                self._db.execute("delete from words where id in (select id from parts where item = ?)", (identifier,))
                self._db.execute("delete from parts where item = ?", (identifier,))
                self._db.executemany("insert into parts values (?, ?, ?, ?, ?, ?)", rows)
                if words:
                    self._db.executemany("insert into words values (?, ?)", [(row[0], row[3]) for row in rows])

    def parts(self, ids: Iterable[str]) -> dict[str, Kept]:
        sql = "select * from parts where id in (select value from json_each(?))"
        return {row[0]: Kept(*row) for row in self._rows(sql, json.dumps(list(ids)))}

    def parts_of(self, item: str, first: int = 0, most: int = -1) -> list[Kept]:
        sql = "select * from parts where item = ? and place >= ? order by place limit ?"
        return [Kept(*row) for row in self._rows(sql, item, first, most)]

    def nearest(self, vector: NDArray[np.float32], most: int, items: Sequence[str] | None) -> list[tuple[str, float]]:
        """Parts and their nearness from 0 to 1, best first."""
        found = self._vectors.nearest(vector, most, None, {} if items is None else {ITEM: {"$in": list(items)}})
        return [(row.id, min(1.0, max(0.0, float(score)))) for row, score in found]

    def matching(self, query: str, every: bool, most: int, items: Sequence[str] | None) -> list[tuple[str, float]]:
        """Parts that hold the query's words, best first; the score is the share of the best one's (bm25)."""
        wanted = [f'"{word}"' for word in dict.fromkeys(re.findall(r"\w+", query))]
        if not wanted:
            return []
        sql = "select words.id, -bm25(words) from words join parts on parts.id = words.id where words match ?"
        values: list[Any] = [(" AND " if every else " OR ").join(wanted)]
        if items is not None:
            sql += " and parts.item in (select value from json_each(?))"
            values.append(json.dumps(list(items)))
        found = list(self._rows(sql + " order by bm25(words), parts.item, parts.place limit ?", *values, most))
        best = max((score for _, score in found), default=0) or 1
        return [(part, max(0.0, score / best)) for part, score in found]

    def counts(self) -> Document:
        """How many vectors, and how many bytes of content and of what is known of it."""
        sql = "select count(*), coalesce(sum(length(content)), 0), coalesce(sum(length(about)), 0) from items"
        objects, payload, about = next(iter(self._rows(sql)))
        sizes = {"objectCount": objects, "payloadSizeBytes": payload, "metadataSizeBytes": about}
        return {"r2": sizes, "vectorize": {"vectorsCount": self._vectors.count(), "dimensions": self.dimensions}}

    def log(self, of: str, entry: Document) -> None:
        """What happened to an item or in a job."""
        with self._lock:
            self._db.execute("insert into logs (of, entry) values (?, ?)", (of, json.dumps(entry)))

    def logs(self, of: str, after: int = 0, most: int = -1) -> list[tuple[int, Document]]:
        """With their places, in their order."""
        sql = "select place, entry from logs where of = ? and place > ? order by place limit ?"
        return [(place, json.loads(entry)) for place, entry in self._rows(sql, of, after, most)]

    def jobs(self) -> list[Document]:
        """Newest first."""
        return [json.loads(row[0]) for row in self._rows("select about from jobs order by place desc")]

    def job(self, identifier: str) -> Document | None:
        return next((json.loads(row[0]) for row in self._rows("select about from jobs where id = ?", identifier)), None)

    def put_job(self, about: Document) -> Document:
        about = about | {"last_seen_at": now()}
        sql = "insert into jobs (id, about) values (?1, ?2) on conflict (id) do update set about = ?2"
        with self._lock:
            self._db.execute(sql, (about["id"], json.dumps(about)))
        return about

    def _rows(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        with self._lock:
            return list(self._db.execute(sql, values))
