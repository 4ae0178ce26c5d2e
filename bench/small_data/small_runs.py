"""Runs a job of a small corpus as a user does, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path


def publish(job: Path, sets: Sequence[str]) -> tuple[Path, float]:
    """Runs a job without the cache, with the root `root` beside it.

    Args:
        job: The job's file.
        sets: Overrides, as KEY=VALUE.

    Returns:
        The folder of the published model, and the seconds from the corpus to it.

    Raises:
        SystemExit: If the run fails.
    """
    root, log = job.parent / "root", job.parent / "run.log"
    options = [option for value in sets for option in ("--set", value)]
    command = [sys.executable, "-m", "pipeline.cli", "run", str(job), "--root", str(root), "--no-cache", *options]
    start = time.perf_counter()
    with log.open("w") as file:
        done = subprocess.run(command, stdout=file, stderr=file, check=False)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise SystemExit(f"the run of {job} failed with exit code {done.returncode}: see {log}")
    return max((root / "serving").iterdir(), key=lambda path: int(path.name)), seconds
