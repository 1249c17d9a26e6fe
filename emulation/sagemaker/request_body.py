"""Request bodies, no larger than they may be."""

from collections.abc import Callable

from starlette.requests import Request

_MAX_DRAINED = 64 * 1024 * 1024


async def read_body(request: Request, limit: int, reserve: Callable[[int], None] = lambda _: None) -> bytes | None:
    """Return the body, or None if it is over ``limit`` bytes; ``reserve`` is called with the size of each piece.

    What is too much is read and dropped, within reason: a client that is still sending when the connection closes sees
    a broken pipe instead of the response.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= limit:
            reserve(len(chunk))
            chunks.append(chunk)
        else:
            chunks.clear()
        if size > _MAX_DRAINED:
            break
    return b"".join(chunks) if size <= limit else None
