"""Which failures a retry may repair."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import grpc
import pytest
import requests
import tensorflow as tf
import typer
from apache_beam.io.filesystem import BeamIOError
from google.api_core import exceptions as google_errors
from ml_metadata import errors

from pipeline.cli.exit_codes import exits_with
from pipeline.runners.failures import failure_of
from pipeline.runs.interrupts import Interrupts, Preempted
from trainer.errors import JobError, TransientError


class Lost(grpc.RpcError):
    """What a channel raises when its server is gone."""

    def code(self) -> grpc.StatusCode:
        return grpc.StatusCode.UNAVAILABLE


def chained(cause: Exception) -> Exception:
    try:
        raise RuntimeError("Beam failed") from cause
    except RuntimeError as error:
        return error


PASSING = [
    OSError(errno.EIO, "Input/output error"),
    OSError(errno.ESTALE, "Stale file handle"),
    TimeoutError(errno.ETIMEDOUT, "Connection timed out"),
    ConnectionResetError(errno.ECONNRESET, "Connection reset by peer"),
    BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable"),
    sqlite3.OperationalError("database is locked"),
    errors.AbortedError("Concurrent creation of the same type."),
    tf.errors.UnavailableError(None, None, "Connection reset by peer"),
    Lost(),
    chained(OSError(errno.EIO, "Input/output error")),
    google_errors.ServiceUnavailable("the backend restarts"),
    requests.exceptions.ConnectionError("connection refused"),
    BeamIOError(
        "List failed", {"gs://a/b": BeamIOError("again", {"gs://a/b": google_errors.RetryError("120 s", None)})}
    ),
]
LASTING = [
    OSError(errno.ENOSPC, "No space left on device"),
    PermissionError(errno.EACCES, "Permission denied"),
    FileNotFoundError(errno.ENOENT, "No such file or directory"),
    ValueError("bad data"),
    errors.InvalidArgumentError("no such type"),
    tf.errors.InvalidArgumentError(None, None, "shapes"),
    JobError("The corpus is empty."),
    BeamIOError("List failed", {"gs://a/b": google_errors.NotFound("no bucket")}),
]


@pytest.mark.parametrize(
    ("error", "code"), [*((error, 75) for error in PASSING), *((error, 1) for error in LASTING)], ids=repr
)
def test_a_scheduler_is_told_to_retry_what_passes(error: Exception, code: int, tmp_path: Path) -> None:
    failure = failure_of(error, "Trainer", tmp_path, tmp_path / "run.log", Interrupts())
    with pytest.raises(typer.Exit) as ended, exits_with(1):
        raise failure
    assert ended.value.exit_code == code


def test_an_error_that_hides_its_origin_does_not_pass(tmp_path: Path) -> None:
    try:
        try:
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        except OSError:
            raise ValueError("bad data") from None
    except ValueError as error:
        failure = failure_of(error, "Trainer", tmp_path, tmp_path, Interrupts())
    assert not isinstance(failure, TransientError)


def test_a_job_error_keeps_its_text_when_it_passes(tmp_path: Path) -> None:
    error = JobError("The file cannot be read.", where="a", found="b", expected="c", fix="d")
    error.__cause__ = OSError(errno.EIO, "Input/output error")
    failure = failure_of(error, None, tmp_path, tmp_path, Interrupts())
    assert isinstance(failure, TransientError)
    assert str(failure) == str(error)


def test_a_lost_worker_is_named_without_the_graph_of_tensorflow(tmp_path: Path) -> None:
    text = """Graph execution error:

Detected at node CollectiveReduceV2_13 defined at (most recent call last):
  File "runpy.py", line 196, in _run_module_as_main
Collective ops is aborted by: Error reported from /job:worker/task:1: Task 1 heartbeat timeout.
The error could be from a previous operation.
"""
    failure = failure_of(tf.errors.UnavailableError(None, None, text), "Trainer", tmp_path, tmp_path, Interrupts())
    assert isinstance(failure, TransientError)
    assert str(failure).splitlines()[:3] == [
        "A worker of the training is lost.",
        "  where: Trainer",
        "  found: Task 1 heartbeat timeout.",
    ]


def test_a_signal_prevails_over_the_error_that_a_library_made_of_it(tmp_path: Path) -> None:
    interrupts = Interrupts()
    interrupts.pressed = True
    assert type(failure_of(ValueError(), None, tmp_path, tmp_path, interrupts)) is KeyboardInterrupt
    stop = Preempted()
    assert failure_of(stop, None, tmp_path, tmp_path, interrupts) is stop
