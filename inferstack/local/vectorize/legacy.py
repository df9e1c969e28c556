"""Vectors that an earlier version kept in the account's own database; they move when their index is first used."""

from __future__ import annotations

from pathlib import Path

import apsw

from inferstack.local._store import open_database

CHUNK = 500  # rows that are deleted at once: the control plane waits for each to commit


def take_over(writer: apsw.Connection | None, database: Path, name: str) -> None:
    """Copy the rows, then delete them there; broken off between, it does the same again. Without `writer` they are dropped."""
    former = open_database(database)
    try:
        if former.execute("select 1 from vectors where vector_index = ? limit 1", (name,)).fetchone() is None:
            return
        if writer is not None:
            _copy(writer, database, name)
        sql = (
            "delete from vectors where vector_index = ?1 and id in "
            "(select id from vectors where vector_index = ?1 limit ?2)"
        )
        while True:
            former.execute(sql, (name, CHUNK))
            if not former.changes():
                return
    finally:
        former.close()


def _copy(writer: apsw.Connection, database: Path, name: str) -> None:
    writer.execute("attach ? as former", (str(database),))
    try:
        with writer:
            writer.execute(
                "insert or ignore into main.vectors (slot, id, namespace, vector, metadata, indexed) "
                "select row_number() over (order by id) - 1, id, namespace, vector, metadata, coalesce(indexed, '{}') "
                "from former.vectors where vector_index = ? order by id",
                (name,),
            )
    finally:
        writer.execute("detach former")
