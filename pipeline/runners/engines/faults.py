"""Faults of an engine that pass: a worker or a server that ended during a run."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator

from pipeline.config.beam_settings import BeamSettings
from trainer.errors import JobError, TransientError

_PASSING = re.compile(
    r"SDK worker disconnected"  # Prism
    r"|Channel closed prematurely"  # Beam's own job server
    r"|Socket closed|Connection reset by peer|Connection refused|failed to connect to all addresses"  # gRPC
    r"|StatusCode\.UNAVAILABLE"
    r"|TaskManager .* is no longer reachable|Heartbeat of TaskManager|ExecutorLostFailure"  # Flink and Spark
    r"|The worker lost contact with the service"  # Dataflow
)


def worker_lost(error: BaseException, beam: BeamSettings) -> TransientError | None:
    """Returns the error to report if an exception says that an engine lost a worker or its server, or None."""
    if beam.engine == "local" or isinstance(error, JobError):
        return None
    text = f"{type(error).__name__}: {error}"
    match = _PASSING.search(text)
    if match is None:
        return None
    return TransientError(
        f"Engine {beam.engine} has lost a worker or its job server.",
        where="beam.engine",
        found=match[0],
        fix="run the same command again; finished components are reused",
    )


@contextlib.contextmanager
def recognized(beam: BeamSettings) -> Iterator[None]:
    """Raises a `TransientError` in place of exceptions in a block that say so.

    Raises:
        TransientError: If the engine lost a worker or its job server.
    """
    try:
        yield
    except Exception as error:
        lost = worker_lost(error, beam)
        if lost is None:
            raise
        raise lost from error
