"""What a job needs besides the libraries: its files, extras, engine, devices and workers."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from typing import NamedTuple

from components.corpus_example_gen.inputs.files import is_local, match_files
from components.corpus_example_gen.inputs.patterns import any_span
from components.corpus_example_gen.value_types import GivenPaths
from pipeline.config.job import Job
from pipeline.config.locations import resolve_corpus_path
from pipeline.diagnosis.diagnosis import Diagnosis, missing, ok, refused, warning
from pipeline.events.environment import unset
from pipeline.events.sinks import EXTRA, PACKAGES, variables
from trainer.errors import JobError, mask
from trainer.jobs import workers

_CORRECT = "correct the path in the YAML"


class NeededPackage(NamedTuple):
    """A package that a setting needs, and the extra that installs it."""

    package: str
    extra: str
    setting: str


class LocatedCorpus(NamedTuple):
    """The sizes in bytes of local files by path, those of all spans, and the URLs of others."""

    sizes: dict[str, int]
    urls: list[str]


def files(job: Job) -> Iterator[Diagnosis]:
    """Yields the files that a job names besides its corpus; they are only located, not parsed."""
    for file in job.files():
        try:
            found = file.locate(job.folder, where=file.name)
        except JobError as error:
            yield refused(file.name, error, _CORRECT)
        else:
            yield ok(file.name, str(found))


def corpora(job: Job) -> Iterator[Diagnosis]:
    """Yields the files of the corpus and of the serving logs; URLs are named, but not opened."""
    yield _corpus("Corpus", job.corpus.path, job)
    if job.validation.serving_logs:
        yield _corpus("Serving logs", job.validation.serving_logs, job)


def corpus_bytes(job: Job) -> int:
    """Returns the size in bytes of the corpus' local files; 0 if they are not found, or have spans to choose from."""
    try:
        return 0 if job.corpus.has_span else sum(_located(job.corpus.path, job).sizes.values())
    except JobError:
        return 0


def extras(job: Job) -> Iterator[Diagnosis]:
    """Yields the packages of extras that settings of a job need."""
    for needed in needed_packages(job):
        if importlib.util.find_spec(needed.package):
            yield ok(needed.package, f"installed, for {needed.setting}")
        else:
            remedy = f'pip install "seqloom[{needed.extra}]", or change {needed.setting.partition(":")[0]}'
            yield missing(needed.package, f"not installed, but {needed.setting} needs it", remedy)


def needed_packages(job: Job) -> list[NeededPackage]:
    """Returns the packages of extras that settings of a job need, each once."""
    found = []
    if job.transform.tokenizer == "subwords":
        setting = "transform.tokenizer: subwords"
        found += [NeededPackage(name, "subwords", setting) for name in ("sentencepiece", "tensorflow_text")]
    elif job.transform.nfkc:
        found.append(NeededPackage("tensorflow_text", "subwords", "transform.nfkc: true"))
    if index := getattr(job.trainer, "index", None):
        found.append(NeededPackage("faiss", "index", f"trainer.index: {index}"))
    for section, package in PACKAGES.items():
        if getattr(job.events, section) is not None:
            found.append(NeededPackage(package, EXTRA, f"events.{section}"))
    return found


def environment(job: Job) -> Iterator[Diagnosis]:
    """Yields the environment variables that hold the secrets of sinks."""
    for key, variable in variables(job.events):
        if os.environ.get(variable, "").strip():
            yield ok(variable, f"set, for {key}")
        else:
            yield missing(variable, f"not set, but {key} names it", unset(variable).fix or "")


def engine(job: Job) -> Diagnosis:
    """Checks that the engine's programs are there and that its servers listen; asks no service on the internet."""
    beam, name = job.beam, "Beam engine"
    if beam.engine == "local":
        return ok(name, "local, in the process of the run")
    # Beam is imported only for engines that are checked.
    from pipeline.runners.engines import preflight

    try:
        preflight.flags_of(job)
        preflight.require_servers(beam)
    except JobError as error:
        return refused(name, error, "see docs/beam.md")
    if beam.engine == "dataflow":
        return ok(name, "dataflow; credentials, bucket and workers are checked when a run starts")
    return ok(name, beam.engine if beam.here else f"{beam.engine}; its workers are checked when a run starts")


def devices(job: Job, cards: int) -> Iterator[Diagnosis]:
    """Yields the settings that need graphics cards or several workers.

    Args:
        job: The job.
        cards: The number of graphics cards.
    """
    precision = getattr(job.trainer, "precision", "float32")
    if precision != "float32" and not cards:
        remedy = "set trainer.precision: float32, or use a machine with a GPU"
        yield warning("trainer.precision", f"{precision}, which is slow without a GPU", remedy)
    strategy = getattr(job.trainer, "strategy", "one_device")
    if strategy == "mirrored" and cards < 2:
        found = f"mirrored, with {cards or 'no'} GPU"
        yield warning("trainer.strategy", found, "set trainer.strategy: one_device, or use a machine with several GPUs")
    if strategy == "multi_worker":
        yield _cluster()


def _cluster() -> Diagnosis:
    config = workers.config()
    cluster, task = config.get("cluster"), config.get("task")
    if not (cluster and isinstance(cluster, dict) and isinstance(task, dict)):
        found = os.environ.get("TF_CONFIG")
        remedy = 'set it to {"cluster": {"worker": ["host:port", ...]}, "task": {"type": "worker", "index": 0}}'
        return missing("TF_CONFIG", f"names no workers: {found}" if found else "not set", remedy)
    count = sum(len(addresses) for addresses in cluster.values())
    return ok("TF_CONFIG", f"{count} workers, of which this is {task.get('type')} {task.get('index')}")


def _corpus(name: str, path: GivenPaths | dict[str, GivenPaths], job: Job) -> Diagnosis:
    try:
        found = _located(path, job)
        for url in found.urls:
            _require_filesystem(url)
    except JobError as error:
        return refused(name, error, _CORRECT)
    sizes, later = found.sizes, [f"{mask(url)} is opened when a run starts" for url in found.urls]
    shown = f"{len(sizes):,} file{'s' * (len(sizes) != 1)}, {sum(sizes.values()) / 1e6:,.1f} MB"
    return ok(name, "; ".join([shown, *later] if sizes else later))


def _located(path: GivenPaths | dict[str, GivenPaths], job: Job) -> LocatedCorpus:
    patterns = [one.pattern for one in resolve_corpus_path(path, job.folder)]
    local = [file for pattern in patterns if is_local(pattern) for file in match_files(any_span(pattern))]
    return LocatedCorpus({file.path: file.size for file in local}, [one for one in patterns if not is_local(one)])


def _require_filesystem(url: str) -> None:
    # Beam is imported only for URLs.
    from components.corpus_example_gen.inputs.url_filesystems import require_filesystem

    require_filesystem(url)
