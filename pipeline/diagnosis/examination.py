"""Everything that a run would find, in the order in which it is printed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pipeline.config.job import Job
from pipeline.diagnosis import hardware, job_needs, software
from pipeline.diagnosis.diagnosis import Diagnosis, missing, ok, refused, warning
from pipeline.diagnosis.root_folder import root_folder
from pipeline.diagnosis.shared_store import shared_store
from pipeline.tasks.loading import load
from trainer.errors import JobError


def examine(config: Path | None = None, root: Path | None = None) -> Iterator[Diagnosis]:
    """Yields what a run would find on this machine.

    Args:
        config: The YAML of a job; None: only what every job needs.
        root: The root; None: runs/<name> of the job, or for the disk the current folder.
    """
    yield from _guarded("Software", software.software)
    yield from _guarded("Cores", lambda: [hardware.cores()])
    yield from _guarded("Memory", lambda: [hardware.memory()])
    cards = _cards()
    yield from [cards] if isinstance(cards, Diagnosis) else _guarded("GPU", lambda: hardware.graphics(cards))
    job = _job(config) if config else None
    if isinstance(job, Job):
        root = root or Path("runs") / job.name
    place, given = root or Path(), job if isinstance(job, Job) else None
    yield from _guarded("Disk", lambda: [hardware.disk(place, job_needs.corpus_bytes(given) if given else 0)])
    if root is not None:
        on_server = given is not None and given.metadata.address is not None
        yield from _guarded("Root", lambda: root_folder(place, in_file=not on_server))
    if isinstance(job, Diagnosis):
        yield job
    elif job is not None:
        if job.metadata.address is not None:
            yield from _guarded("Metadata store", lambda: [shared_store(job, place)])
        yield from _examine_job(job, 0 if isinstance(cards, Diagnosis) else len(cards))


def _examine_job(job: Job, cards: int) -> Iterator[Diagnosis]:
    yield ok("YAML", f"{job.path}, a valid {job.task} job")
    yield from _guarded("Files", lambda: job_needs.files(job))
    yield from _guarded("Corpus", lambda: job_needs.corpora(job))
    yield from _guarded("Extras", lambda: job_needs.extras(job))
    yield from _guarded("Environment", lambda: job_needs.environment(job))
    yield from _guarded("Beam engine", lambda: [job_needs.engine(job)])
    yield from _guarded("Devices", lambda: job_needs.devices(job, cards))


def _cards() -> list[str] | Diagnosis:
    try:
        return hardware.graphics_cards()
    except OSError as error:
        remedy = "reinstall the NVIDIA driver, without which training runs on the CPU"
        return warning("GPU", f"nvidia-smi fails: {error}", remedy)


def _job(config: Path) -> Job | Diagnosis:
    try:
        return load(config)
    except JobError as error:
        return refused("YAML", error, f"run `seqloom config check {config}`, which explains each error")
    except OSError as error:
        return missing("YAML", f"{config} cannot be read: {error.strerror}", "run the command in another folder")


def _guarded(name: str, check: Callable[[], Iterable[Diagnosis]]) -> Iterator[Diagnosis]:
    """Yields the results of a check; what it cannot find out does not keep others from being printed."""
    try:
        yield from check()
    except Exception as error:  # An environment may be broken in any way.
        text = str(error).partition("\n")[0]
        found = f"not checked: {type(error).__name__}" + (f": {text}" if text else "")
        yield warning(name, found, "start a run, whose log has the details")
