"""Recognizes failures that pass by themselves, so that a scheduler knows what to retry."""

from __future__ import annotations

import errno
from collections.abc import Iterator

from trainer.errors import JobError, TransientError

_ERRNOS = frozenset(
    {
        *(errno.EIO, errno.ESTALE, errno.EAGAIN, errno.EBUSY, errno.EINTR, errno.ETIMEDOUT, errno.EREMOTEIO),
        *(errno.ECONNRESET, errno.ECONNREFUSED, errno.ECONNABORTED, errno.ENOTCONN, errno.EPIPE),
        *(errno.EHOSTDOWN, errno.EHOSTUNREACH, errno.ENETDOWN, errno.ENETUNREACH, errno.ENETRESET),
    }
)
"""Errors of networks and of disks behind them. A full disk is none: a person has to free space."""

_STATUS = ("UNAVAILABLE", "DEADLINE_EXCEEDED", "ABORTED")
"""The states of gRPC with which a call may be repeated: a lost worker of a training, a server that restarts."""

_CLASSES = (
    *("UnavailableError", "DeadlineExceededError", "AbortedError"),
    *("ServiceUnavailable", "InternalServerError", "BadGateway", "GatewayTimeout", "TooManyRequests", "RetryError"),
    *("TransportError", "ConnectTimeoutError", "ReadTimeoutError", "EndpointConnectionError"),
    *("ConnectionError", "ConnectTimeout", "ReadTimeout"),
)
"""The same as exceptions of TensorFlow and ML Metadata, of Google's and Amazon's clients, and of requests, by name,
because importing any of them takes seconds."""

_TEXTS = ("database is locked", "database table is locked")
"""Errors of SQLite, of which ML Metadata keeps only the text."""


def passes(error: BaseException | None) -> bool:
    """Returns whether an error, or one that it comes from, passes by itself."""
    return any(_passes(one) for one in _chain(error))


def as_transient(error: JobError) -> TransientError:
    """Returns the same error as one that passes."""
    fields = {"where": error.where, "found": error.found, "expected": error.expected, "fix": error.fix}
    return TransientError(error.what, **fields)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """Yields an error and those that it comes from, among them those that Beam's filesystems keep by path."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        details = getattr(error, "exception_details", None)
        for one in details.values() if isinstance(details, dict) else ():
            yield from _chain(one)
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _passes(error: BaseException) -> bool:
    if isinstance(error, TransientError) or (isinstance(error, OSError) and error.errno in _ERRNOS):
        return True
    code = getattr(error, "code", None)
    status = getattr(code(), "name", None) if callable(code) else None
    named = any(each.__name__ in _CLASSES for each in type(error).__mro__)
    return named or status in _STATUS or any(text in str(error) for text in _TEXTS)
