"""Where our local Cloudflare means to differ from miniflare: a case and, of its calls, which; with the reason.

A difference that is no more fails the test as well as one that is not here. What is left out in all cases stands in
`workers/describe.js`: what changes from call to call, D1's `rows_read` and what of D1's `meta` miniflare has not.
"""

from __future__ import annotations

_WORDS = "both refuse: miniflare with its schema library's own report, ours with what is wrong"
_CODES = "both refuse: miniflare's broker gives workerd no code, so it says 15000; ours has a code and the limit"
_SCHEMA = (
    "D1 counts what is written to the schema too; ours counts rows and entries of indexes (docs: D1, meta.rows_written)"
)
_LAST = "miniflare's own bookkeeping inserts into the database that it gives out; ours is empty before the first insert"


def _each(case: str, calls: tuple[int, ...], reason: str) -> dict[tuple[str, int | None], str]:
    return {(case, call): reason for call in calls}


DIFFERENCES: dict[tuple[str, int | None], str] = {
    **_each("KVNamespace.put metadata", (10,), "a function as metadata: miniflare says 500, ours what is wrong"),
    **_each("KVNamespace.put of no key", (15,), "half of a surrogate pair: a replacement character here, 400 there"),
    **_each(
        "R2Bucket.put metadata of 4 KiB",
        (0,),
        "miniflare 4 stops at 2 KiB; R2's limit is 8,192 bytes, as miniflare 5 has it",
    ),
    **_each("D1Database.prepare", (4, 5, 6), _WORDS),
    **_each("D1Database.batch", (6,), _WORDS),
    **_each("D1Database.prepare", (8, 11, 12, 13), _LAST),
    **_each("D1PreparedStatement.run", (9,), _SCHEMA),
    **_each(
        "D1Database.exec", (2,), "two statements on one line: ours counts both, as D1's REST API answers with both"
    ),
    **_each("D1PreparedStatement.bind", (13,), "half of a surrogate pair: one replacement character here, three there"),
    **_each("Queue.send", (16, 19, 22, 27), _CODES),
    **_each("Queue.sendBatch", (9, 10, 11, 12, 14, 16, 17, 20), _CODES),
}
