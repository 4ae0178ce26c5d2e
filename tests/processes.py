"""Other processes of the tests; those forked from one with the libraries save ten seconds of imports each."""

from __future__ import annotations

import functools
import logging
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from pathlib import Path
from typing import Any

import pytest

FRESH = multiprocessing.get_context("spawn")
"""Processes of their own, with their own seed of `hash`."""


@functools.cache
def forked() -> BaseContext:
    """Processes that start with the libraries, but without any module of the product."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tfx.components", "tfx.orchestration.portable.tfx_runner"])
    # TensorFlow reads this once, at its import, which the commands on published models count on.
    with pytest.MonkeyPatch.context() as quiet:
        quiet.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
        forkserver.ensure_running()
    return context


def kill_when(reached: Callable[[Any], bool]) -> None:
    """Ends this process by SIGKILL at the first report of progress for which the condition holds."""

    class Killer(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if hasattr(record, "progress") and reached(record.progress):
                os.kill(os.getpid(), signal.SIGKILL)

    logger = logging.getLogger("seqloom.progress")
    logger.addHandler(Killer())
    logger.setLevel(logging.INFO)


def exit_code(context: BaseContext, target, *arguments: object) -> int:
    """Calls a function in another process and waits for its end."""
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join()
    return process.exitcode


def seqloom(
    arguments: Sequence[str], *, code: Path, folder: Path, environment: Mapping[str, str], given: str
) -> subprocess.CompletedProcess[str]:
    """Runs the command line of the packages in the folder `code` from another folder, in a forked process."""
    with tempfile.TemporaryDirectory() as streams:
        stdin, stdout, stderr = (Path(streams, name) for name in ("stdin", "stdout", "stderr"))
        stdin.write_text(given)
        ended = exit_code(forked(), _main, arguments, str(code), str(folder), dict(environment), streams)
        return subprocess.CompletedProcess(arguments, ended, stdout.read_text(), stderr.read_text())


def _main(arguments: Sequence[str], code: str, folder: str, environment: Mapping[str, str], streams: str) -> None:
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        with Path(streams, name).open(mode) as file:
            os.dup2(file.fileno(), number)
        setattr(sys, name, os.fdopen(number, mode, buffering=1, closefd=False))
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    assert not {"pipeline", "components", "trainer", "schema"} & sys.modules.keys()
    sys.path.insert(0, code)
    sys.argv[1:] = arguments
    runpy.run_module("pipeline.cli", run_name="__main__", alter_sys=True)
