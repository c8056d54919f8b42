"""Outputs that are too large to lie in a run: stored as blobs, with a reference in their place."""

from __future__ import annotations

import asyncio
import logging

from ._agent import Outcome, failure
from ._api.blobs import put_request
from ._asyncio_http import AsyncTransport
from ._backoff import Backoff
from ._http import encode_json
from .errors import ProblemError, ServerUnavailable
from .refs import ref

log = logging.getLogger("ganglion")

#: The longest output that the server takes inline, and the longest blob, in bytes.
MAX_INLINE = 1024 * 1024
MAX_BLOB = 64 * 1024 * 1024


def is_large(outcome: Outcome) -> bool:
    return outcome.ok and len(outcome.payload) > MAX_INLINE


async def stored(outcome: Outcome, transport: AsyncTransport) -> Outcome:
    """The outcome with a reference as its output. Tries until the server has the blob; cancel it to give up."""
    if len(outcome.payload) > MAX_BLOB:
        return _refused(outcome, f"the output has {len(outcome.payload)} bytes, more than a blob may have")
    backoff = Backoff()
    while True:
        try:
            (await transport.request(put_request(outcome.payload))).json()
            return Outcome(True, encode_json(ref(outcome.payload)), outcome.extra)
        except ServerUnavailable as error:
            pause = backoff.next()
            log.warning("server_unavailable", extra={"reason": str(error), "retry_in_ms": round(pause * 1000)})
        except ProblemError as problem:
            if not problem.temporary:
                return _refused(outcome, f"the server refused the output as a blob: {problem}")
            pause = backoff.next(problem.retry_after)
        await asyncio.sleep(pause)


def _refused(outcome: Outcome, message: str) -> Outcome:
    return failure("output_too_large", message, retryable=False, extra=outcome.extra)
