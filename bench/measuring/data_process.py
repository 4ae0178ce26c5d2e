"""Runs each measurement in its own process."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from trainer.errors import JobError

_REPOSITORY = Path(__file__).resolve().parents[2]
_LINES = 20


@dataclasses.dataclass(frozen=True)
class Finished:
    """Standard output, wall time and peak memory (of the largest child, if that is larger) of a process."""

    output: str
    seconds: float
    peak_bytes: int


def run_python(arguments: Sequence[str], log: Path) -> Finished:
    """Runs Python with its standard error in a log, and waits for it.

    The caller must be small, because a process starts with the peak memory of its parent.

    Raises:
        JobError: If it fails, with its last lines of output.
    """
    environment = {**os.environ, "PYTHONPATH": str(_REPOSITORY), "TF_CPP_MIN_LOG_LEVEL": "3"}
    start = time.perf_counter()
    with log.open("w") as errors, log.with_suffix(".out").open("w+") as output:
        process = subprocess.Popen(
            [sys.executable, *arguments], stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment
        )
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except BaseException:
            process.kill()
            process.wait()
            raise
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        output.seek(0)
        printed = output.read()
    if process.returncode:
        lines = (printed + log.read_text(errors="replace")).splitlines()[-_LINES:]
        raise JobError(
            "The measured process failed.",
            where=f"python {' '.join(arguments)}",
            found="\n".join([f"exit code {process.returncode}", *lines]),
        )
    # Linux counts kilobytes, macOS bytes.
    return Finished(printed, seconds, usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024))
