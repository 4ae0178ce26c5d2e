"""Prepares a run: locates the files of a job, and copies those that affect its results."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from google.protobuf import text_format

from pipeline.config.job import Job
from pipeline.config.job_files import with_paths
from pipeline.config.locations import resolve_corpus_path, resolve_file
from pipeline.dag.layout import Layout
from pipeline.dag.sources import Sources
from pipeline.runs.disk import write
from pipeline.tasks.supervised_job import BEST_HYPERPARAMETERS
from pipeline.tasks.task import Goal
from schema import curated
from trainer.errors import JobError

if TYPE_CHECKING:
    from ml_metadata.proto.metadata_store_pb2 import ConnectionConfig
    from tfx.orchestration.pipeline import Pipeline

    from pipeline.dag.code_state import CodeState
    from pipeline.store.stores import PipelineStore


@dataclasses.dataclass(frozen=True)
class PreparedRun:
    """Everything a runner needs. All files exist, and all their paths are absolute.

    Attributes:
        job: The job; the files it names are content-addressed copies below the root.
        layout: The files and folders below the root.
        run_id: The run's id, also in ML Metadata.
        store: The job's part of ML Metadata.
        sources: The pipeline's external inputs.
        code: Digest of the code by component.
        goal: What the run is for.
        until: The last component to run; None: all components.
        use_cache: Whether to reuse results of earlier runs.
    """

    job: Job
    layout: Layout
    run_id: str
    store: PipelineStore
    sources: Sources
    code: Mapping[str, str]
    goal: Goal
    until: str | None
    use_cache: bool

    @property
    def metadata(self) -> ConnectionConfig:
        """The connection to ML Metadata."""
        return self.store.connection

    def pipeline(self, beam_args: Sequence[str] = ()) -> Pipeline:
        """Returns the TFX pipeline, with a runner's Beam flags, which precede the job's."""
        from pipeline.dag import dag

        return dag.create_pipeline(
            self.job,
            self.layout,
            self.sources,
            code=self.code,
            run_id=self.run_id,
            name=self.store.pipeline,
            metadata=self.metadata,
            beam_args=beam_args,
            goal=self.goal,
            until=self.until,
            use_cache=self.use_cache,
        )

    @functools.cached_property
    def components(self) -> tuple[str, ...]:
        """The components to run, in TFX's order."""
        return tuple(component.id for component in self.pipeline().components)


def prepare(
    job: Job,
    root: Path,
    run_id: str,
    *,
    store: PipelineStore | None = None,
    goal: Goal = "publish",
    until: str | None = None,
    use_cache: bool = True,
) -> PreparedRun:
    """Prepares a run of a job in a root, an existing folder with an absolute path; see `PreparedRun`.

    Args:
        job: The job.
        root: The root.
        run_id: The run's id.
        store: The job's part of ML Metadata; None: that of a root which has been opened before, or is new.
        goal: What the run is for.
        until: The last component to run; None: all components.
        use_cache: Whether to reuse results of earlier runs.

    Raises:
        JobError: If a file is missing or invalid, or the job uses tuned hyperparameters and the root has none.
    """
    from components.pusher.publish import history
    from components.pusher.serving_history import withdrawn
    from pipeline.dag import lineage
    from pipeline.store.stores import known_store

    store = store or known_store(job, root)
    corpus = tuple(resolve_corpus_path(job.corpus.path, job.folder))
    copied = copy_files(job, root)
    layout = Layout(root)
    logs = find_serving_logs(job, Path(layout.inputs))
    prepared = PreparedRun(
        job=copied,
        layout=layout,
        run_id=run_id,
        store=store,
        sources=Sources(
            corpus, copied.schema_path or _write_schema(job, root), logs, tuple(withdrawn(history(layout.serving)))
        ),
        code=code_digests(job),
        goal=goal,
        until=until,
        use_cache=use_cache,
    )
    lineage.relocate(store.connection, store.pipeline, layout.artifacts)
    tuned = BEST_HYPERPARAMETERS in prepared.components
    if tuned and not lineage.has_artifact(store.connection, store.pipeline, "HyperParameters"):
        raise JobError(
            "The root has no tuned hyperparameters.",
            where=str(root),
            found="tune.use: true",
            expected="the result of an earlier `seqloom tune` in the same root",
            fix="run `seqloom tune` first, or set tune.use to false",
        )
    return prepared


def code_digests(job: Job) -> dict[str, str]:
    """Returns a digest of the code behind each component of a job."""
    return {component: state.digest for component, state in code_states(job).items()}


def code_states(job: Job) -> dict[str, CodeState]:
    """Returns the code behind each component of a job."""
    from pipeline.dag.code_state import code_state
    from pipeline.dag.dag import code_modules

    return {component: code_state(*modules) for component, modules in code_modules(job).items()}


def check_files(job: Job, config: str) -> None:
    """Checks that the files of a job exist; `config` is its YAML, for messages.

    Raises:
        JobError: If a file does not exist.
    """
    resolve_corpus_path(job.corpus.path, job.folder, where=f"{config}, corpus.path")
    for file in job.files():
        file.locate(job.folder, where=f"{config}, {file.name}")
    if job.validation.serving_logs:
        resolve_corpus_path(job.validation.serving_logs, job.folder, where=f"{config}, validation.serving_logs")
    if job.metadata.password_file:
        resolve_file(job.metadata.password_file, job.folder, where=f"{config}, metadata.password_file")


def copy_files(job: Job, root: Path) -> Job:
    """Copies the files that a job names into a root, and returns the job with the paths of the copies.

    Raises:
        JobError: If a file is missing or invalid.
    """
    paths = {}
    for file in job.files():
        source = file.locate(job.folder, where=file.name)
        try:
            content = source.read_bytes()
        except OSError as error:
            what = f"The {file.name} file cannot be read."
            raise JobError(what, where=file.name, found=f"{source}: {error.strerror}") from error
        if file.parse:
            file.parse(content, str(source))
        paths[file.key] = _stamp(root / file.folder / source.name, content)
    return with_paths(job, paths)


def find_serving_logs(job: Job, inputs_dir: Path) -> tuple[str, str]:
    """Returns the pattern of the files logged in serving and their fingerprint, both empty if the job names none.

    Args:
        job: The job.
        inputs_dir: The folder of the hashes of files' contents.

    Raises:
        JobError: If no file matches.
    """
    from components.corpus_example_gen.inputs.files import require_files
    from components.corpus_example_gen.inputs.fingerprints import fingerprint

    if job.validation.serving_logs is None:
        return "", ""
    (logs,) = resolve_corpus_path(job.validation.serving_logs, job.folder, where="validation.serving_logs")
    return logs.pattern, fingerprint([(None, file) for file in require_files(logs.pattern)], inputs_dir)


def _write_schema(job: Job, root: Path) -> str:
    corpus = job.corpus
    adapted = curated.for_corpus(
        corpus.kind.name,
        target=corpus.kind.target,
        classes=corpus.class_names or (),
        named_sources=corpus.source is not None,
        weighted=corpus.weight is not None,
    )
    content = text_format.MessageToString(adapted, as_utf8=True).encode()
    return _stamp(root / "schema" / f"{corpus.kind.name}.pbtxt", content)


def _stamp(path: Path, content: bytes) -> str:
    """Writes a file with a digest of its content in its name, because TFX keys its cache by the path alone."""
    # The whole name has to fit into 255 bytes.
    copy = path.with_stem(f"{path.stem[:50]}-{hashlib.sha256(content).hexdigest()[:12]}")
    write(copy, content)
    return str(copy)
