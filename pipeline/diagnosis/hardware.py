"""Cores, memory, disk and graphics cards. Imports no TensorFlow."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.metadata
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil
from packaging.requirements import Requirement
from packaging.version import Version

from pipeline.diagnosis.diagnosis import Diagnosis, missing, ok, warning

_CGROUP = Path("/sys/fs/cgroup")
_LITTLE_MEMORY = 2e9
_LITTLE_DISK = 1e9
_SMI_SECONDS = 20


def cores(cgroup: Path = _CGROUP) -> Diagnosis:
    """Counts the cores that this process may use; `cgroup` is the folder of the container's limits."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota, _, period = _limit(cgroup / "cpu.max").partition(" ")
    if not quota.isdecimal() or not period.isdecimal() or int(quota) >= count * int(period):
        return ok("Cores", str(count))
    found = f"{count}, of which the container may use {int(quota) / int(period):g}"
    return warning("Cores", found, "raise the container's CPU limit, or expect more threads than it can run")


def memory(cgroup: Path = _CGROUP) -> Diagnosis:
    """Measures the memory that is available; `cgroup` is the folder of the container's limits."""
    machine = psutil.virtual_memory()
    limit = _limit(cgroup / "memory.max")
    total = min(machine.total, int(limit)) if limit.isdecimal() else machine.total
    available = min(machine.available, total)
    found = f"{available / 1e9:.1f} of {total / 1e9:.1f} GB available"
    if available >= _LITTLE_MEMORY:
        return ok("Memory", found)
    remedy = f"end other programs, or use a machine with more: a run should have {_LITTLE_MEMORY / 1e9:.0f} GB"
    return warning("Memory", found, remedy)


def disk(root: Path, corpus_bytes: int = 0) -> Diagnosis:
    """Measures the free space at a root, which may not exist yet.

    Args:
        root: The root.
        corpus_bytes: The size of the corpus' files. A run writes its documents twice, raw and as ids, compressed to
            about half of their size, so it needs at least as much.
    """
    place = existing_folder(root)
    free = shutil.disk_usage(place).free
    found = f"{free / 1e9:.1f} GB free at {place}"
    if free < corpus_bytes:
        remedy = f"use a --root on another disk: the examples alone need about {corpus_bytes / 1e9:.1f} GB"
        return missing("Disk", found, remedy)
    if free < _LITTLE_DISK:
        return warning("Disk", found, "free some, or use a --root on another disk")
    return ok("Disk", found)


def existing_folder(path: Path) -> Path:
    """Returns the nearest of a path and the folders above it that exists."""
    absolute = path.absolute()
    return next(folder for folder in (absolute, *absolute.parents) if os.path.lexists(folder))


def graphics_cards() -> list[str]:
    """Returns the name, memory and driver of each NVIDIA card; empty if there is none or it is hidden.

    Raises:
        OSError: If the driver does not answer.
    """
    program = shutil.which("nvidia-smi")
    if program is None or os.environ.get("CUDA_VISIBLE_DEVICES", "0") in ("", "-1"):
        return []
    query = [program, "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader"]
    try:
        done = subprocess.run(query, capture_output=True, timeout=_SMI_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise OSError(f"no answer within {_SMI_SECONDS} seconds") from None
    text = (done.stdout.strip() or done.stderr.strip()).decode("utf-8", "replace")
    if done.returncode:
        raise OSError(text.partition("\n")[0] or f"exit code {done.returncode}")
    return text.splitlines()


def graphics(cards: list[str]) -> Iterator[Diagnosis]:
    """Yields the graphics cards, and whether TensorFlow finds cuDNN for them."""
    if not cards:
        hidden = os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1")
        yield ok("GPU", f"{'hidden by CUDA_VISIBLE_DEVICES' if hidden else 'none'}; training runs on the CPU")
        return
    yield ok("GPU", "; ".join(cards))
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        tensorflow = importlib.metadata.distribution("tensorflow")
        parsed = map(Requirement, tensorflow.requires or ())
        for one in parsed:
            if one.name.startswith("nvidia-cudnn"):
                yield cudnn(one, tensorflow.version)


def cudnn(required: Requirement, tensorflow: str) -> Diagnosis:
    """Looks for cuDNN in this environment and in the system's libraries.

    Args:
        required: The package that TensorFlow names for it: nvidia-cudnn-cu12==8.9.7.29.
        tensorflow: The version of TensorFlow.
    """
    major = next((Version(one.version.removesuffix(".*")).major for one in required.specifier), 9)
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        found = importlib.metadata.version(required.name)
        if Version(found).major == major:
            return ok("cuDNN", found)
    library = f"libcudnn.so.{major}"
    try:
        ctypes.CDLL(library)
    except OSError:
        remedy = f'pip install "tensorflow[and-cuda]=={tensorflow}", without which training runs on the CPU'
        return warning("cuDNN", f"no {library}, which TensorFlow {tensorflow} uses", remedy)
    return ok("cuDNN", library)


def _limit(file: Path) -> str:
    try:
        return file.read_text().strip()
    except OSError:
        return ""
