"""What the first step of a run has prepared, so that all later ones use the same inputs."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from components.corpus_example_gen.inputs.patterns import SplitPattern
from pipeline.config.job import Job
from pipeline.config.job_files import with_paths
from pipeline.dag.layout import Layout
from pipeline.dag.sources import Sources
from pipeline.runs import disk
from pipeline.runs.prepare import PreparedRun, code_digests, prepare
from pipeline.runs.record import run_dir
from trainer.errors import JobError

if TYPE_CHECKING:
    from pipeline.store.stores import PipelineStore

_FILE = "steps.json"

_PER_STEP = {"beam", "events", "resources"}
"""Sections that may differ from step to step, since they do not change the results."""


class Manifest(BaseModel):
    """The inputs of a run by steps.

    Attributes:
        root: The absolute path of the root, which ML Metadata holds.
        sections: A digest of each section of the job.
        files: The key of each file that the job names, and the path of its copy.
        corpus: The fields of each `SplitPattern` of the corpus.
        schema_path: The schema's copy.
        serving_logs: See `Sources`.
        withdrawn: See `Sources`.
    """

    model_config = ConfigDict(frozen=True)

    root: str
    sections: dict[str, str]
    files: list[tuple[tuple[str, ...], str]]
    corpus: list[tuple[str, str, int]]
    schema_path: str
    serving_logs: tuple[str, str]
    withdrawn: tuple[str, ...] = ()


def read(root: Path, run_id: str) -> Manifest | None:
    """Returns the manifest of a run, None if no step has prepared it."""
    path = run_dir(root, run_id) / _FILE
    return Manifest.model_validate_json(path.read_bytes()) if path.exists() else None


def create(job: Job, root: Path, run_id: str, store: PipelineStore, *, use_cache: bool) -> PreparedRun:
    """Prepares a run like `prepare`, chooses the files of its corpus, and writes its manifest.

    Raises:
        JobError: If a file is missing or invalid.
    """
    from components.corpus_example_gen.inputs.pinned import pin

    prepared = prepare(job, root, run_id, store=store, use_cache=use_cache)
    pin(prepared.sources.corpus, job.corpus, prepared.layout.inputs, run_id)
    manifest = Manifest(
        root=str(root),
        sections=_digests(job),
        files=[(file.key, file.path) for file in prepared.job.files()],
        corpus=[tuple(pattern) for pattern in prepared.sources.corpus],
        schema_path=prepared.sources.schema,
        serving_logs=prepared.sources.serving_logs,
        withdrawn=prepared.sources.withdrawn,
    )
    disk.write(run_dir(root, run_id) / _FILE, manifest.model_dump_json(indent=2).encode())
    return prepared


def restore(manifest: Manifest, job: Job, root: Path, run_id: str, *, use_cache: bool) -> PreparedRun:
    """Returns the run that a manifest describes; `job` must have passed `check`."""
    from pipeline.store.stores import known_store

    layout = Layout(root)
    return PreparedRun(
        job=with_paths(job, dict(manifest.files)),
        layout=layout,
        run_id=run_id,
        store=known_store(job, root),
        sources=Sources(
            tuple(SplitPattern(*pattern) for pattern in manifest.corpus),
            manifest.schema_path,
            manifest.serving_logs,
            manifest.withdrawn,
        ),
        code=code_digests(job),
        goal="publish",
        until=None,
        use_cache=use_cache,
    )


def check(manifest: Manifest, job: Job, root: Path, run_id: str) -> None:
    """Checks that a run is used for the job and at the place that it was prepared for.

    Raises:
        JobError: If it is not.
    """
    if manifest.root != str(root):
        raise JobError(
            "The root of the run has another path.",
            where=f"run {run_id}",
            found=str(root),
            expected=manifest.root,
            fix="mount the root at the same path on every machine, or start a run with another --run-id",
        )
    digests = _digests(job)
    changed = [name for name in {**manifest.sections, **digests} if manifest.sections.get(name) != digests.get(name)]
    if changed:
        raise JobError(
            "The run belongs to another configuration.",
            where=f"run {run_id}",
            found=f"other values of {', '.join(changed)}",
            expected="the configuration that its first step had",
            fix="start a run with another --run-id",
        )


def _digests(job: Job) -> dict[str, str]:
    sections = job.model_dump(mode="json", by_alias=True, exclude=_PER_STEP)
    return {
        name: hashlib.sha256(json.dumps(section, sort_keys=True).encode()).hexdigest()[:16]
        for name, section in sections.items()
    }
