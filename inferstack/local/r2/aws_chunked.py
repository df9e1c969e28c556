"""Bodies in `aws-chunked`: SDKs frame a stream so, and end it with its checksum. R2 takes it; its simulator stores the frames.

Form: docs.aws.amazon.com, "Signature calculations for the authorization header: transferring payload in multiple chunks".
The signatures of single chunks and the checksum behind the last are not checked here: the request's own is.
"""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator

from inferstack.local.r2.signature import Refused

STREAMING, ENCODING = "STREAMING-", "aws-chunked"
HEAD = re.compile(rb"([0-9a-fA-F]{1,8})(;[^\r\n]*)?")
LONGEST_HEAD = 1024


async def unframed(body: AsyncIterator[bytes], length: int) -> AsyncGenerator[bytes]:
    """What stands in the chunks; raises `Refused` unless it is `length` bytes."""
    rest, left, read = b"", 0, 0
    async for piece in body:
        rest += piece
        while rest:
            if left:
                part, rest = rest[:left], rest[left:]
                left, read = left - len(part), read + len(part)
                yield part
                continue
            head, end, after = rest.removeprefix(b"\r\n").partition(b"\r\n")
            if not end:
                if len(rest) > LONGEST_HEAD:
                    raise Refused(400, "InvalidRequest", "A chunk of the body has no size.")
                break
            found = HEAD.fullmatch(head)
            if found is None:
                raise Refused(400, "InvalidRequest", "A chunk of the body has no size.")
            left, rest = int(found[1], 16), after
            if not left:
                _check(read, length)
                return  # what follows are trailers
    _check(-1, length)


def _check(read: int, length: int) -> None:
    if read != length:
        text = "You did not provide the number of bytes specified by the x-amz-decoded-content-length header."
        raise Refused(400, "IncompleteBody", text)
