"""Runs a job on this machine: TFX's LocalDagRunner, watched."""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Collection
from pathlib import Path
from typing import Any, Literal

from google.protobuf import text_format

from components.corpus_validator.anomalies import AnomalyError
from components.evaluation_sets import set_files
from pipeline.config.job import BEST_HYPERPARAMETERS, Goal, RunConfig, Word2vecConfig, resolve_corpus_path, resolve_file
from pipeline.console.live import RunConsole
from pipeline.runners.watch import Watch
from pipeline.runs import record as history
from pipeline.runs.layout import Layout
from pipeline.runs.pretrained import find_vectors
from pipeline.runs.record import RootLock, RunRecord
from pipeline.runs.redirect import redirect_output
from schema import curated
from trainer.errors import JobError
from trainer.recurrent.settings import RecurrentSettings

SUMMARY = "summary.json"


def run(
    config: RunConfig,
    *,
    root: Path,
    goal: Goal = "publish",
    until: str | None,
    use_cache: bool,
    console: RunConsole,
) -> RunRecord:
    """Runs a job and records it.

    Args:
        config: The job.
        root: Where its artifacts, metadata, logs and models are kept.
        goal: What the run is for.
        until: The last component to run, None: all.
        use_cache: Take results of earlier runs where nothing changed.
        console: Shows the run; it has been entered.

    Returns:
        The record, also written to `logs/<run>/run.json` and `summary.json`.

    Raises:
        JobError: If a component fails.
    """
    with RootLock(root):
        record = history.new_run(root, config.name, config.path)
        components = config.components_for(goal)
        watch = Watch(record, root, console, components)
        console.start(components)
        try:
            with redirect_output(record.log):
                finished = _run(config, root.absolute(), watch, record.run_id, goal, until, use_cache)
        except BaseException as error:
            _record_end(watch, root, error)
            console.anomalies(_anomalies(error))
            if isinstance(error, JobError) or not isinstance(error, Exception):
                raise
            raise _unexpected(error, watch.current, record.log) from error
        history.write(root, finished)
        (root / SUMMARY).write_text(finished.model_dump_json(indent=2) + "\n", encoding="utf-8")
    console.anomalies(finished.details.get("anomalies", ()))
    return finished


def _run(
    config: RunConfig, root: Path, watch: Watch, run_id: str, goal: Goal, until: str | None, use_cache: bool
) -> RunRecord:
    # TFX takes seconds to import; the table is on the screen meanwhile.
    from tfx.orchestration.local.local_dag_runner import LocalDagRunner

    from pipeline.dag import dag, lineage
    from pipeline.dag.code_hash import source_hash
    from pipeline.runs import summary

    layout = Layout(root)
    pipeline = dag.create_pipeline(
        _with_stamped_files(config, root),
        layout,
        corpus=resolve_corpus_path(config.corpus.path, config.folder),
        schema=_stamped_schema(config, root),
        code={component: source_hash(module) for component, module in dag.CODE.items()},
        run_id=run_id,
        serving_logs=_serving_logs(config),
        goal=goal,
        until=until,
        use_cache=use_cache,
    )
    wanted = [component.id for component in pipeline.components]
    if BEST_HYPERPARAMETERS in wanted and not lineage.has_artifact(layout.metadata, "HyperParameters"):
        raise JobError(
            "No hyperparameters were tuned at this root.",
            where=str(root),
            found="tune.use: true",
            expected="the result of an earlier `seqloom tune` at the same root",
            fix="run `seqloom tune` first, or set tune.use to false",
        )
    with watch.following(wanted):
        LocalDagRunner().run(pipeline)
    executions = lineage.latest_run(layout.metadata)
    _require_executions(wanted, executions)
    done = watch.record.updated(finished=_now())
    return summary.complete(done, config, executions, goal=goal, whole="Pusher" in wanted)


def _require_executions(wanted: Collection[str], executions: Collection[str]) -> None:
    """TFX calls a component finished that found no inputs and did nothing."""
    missing = [component for component in wanted if component not in executions]
    if missing:
        raise JobError(
            f"{', '.join(missing)} did not run.",
            where="ML Metadata",
            found="no execution in this run",
            expected="one of each component",
            fix="run again with --no-cache",
        )


def _stamped_schema(config: RunConfig, root: Path) -> str:
    """A copy of the schema that this corpus has to meet."""
    corpus = config.corpus
    if config.schema_path:
        source = resolve_file(config.schema_path, config.folder, where="schema")
        name, text = source.stem, source.read_bytes()
    else:
        fitted = curated.for_corpus(
            corpus.kind,
            classes=corpus.class_names or (),
            named_sources=corpus.source is not None,
            weighted=corpus.weight is not None,
        )
        name, text = corpus.kind, text_format.MessageToString(fitted, as_utf8=True).encode()
    return _stamped(root / "schema" / f"{name}.pbtxt", text)


def _with_stamped_files(config: RunConfig, root: Path) -> RunConfig:
    """The job with copies of the files that decide what it makes, beside its corpus."""
    for stamp in (_with_stamped_vocabulary, _with_stamped_sets, _with_stamped_vectors):
        config = stamp(config, root)
    return config


def _with_stamped_vocabulary(config: RunConfig, root: Path) -> RunConfig:
    """The job with a copy of the vocabulary that it gives, if it gives one."""
    if config.transform.vocabulary is None:
        return config
    source = resolve_file(config.transform.vocabulary, config.folder, where="transform.vocabulary")
    copy = _stamped(root / "vocabulary" / source.name, source.read_bytes())
    return config.model_copy(update={"transform": config.transform.model_copy(update={"vocabulary": copy})})


def _with_stamped_sets(config: RunConfig, root: Path) -> RunConfig:
    """The job with copies of the files that word vectors are judged by; bad lines are told at once."""
    if not isinstance(config, Word2vecConfig):
        return config
    copies: dict[str, dict[str, str]] = {}
    for kind, read in (("pairs", set_files.read_pairs), ("analogies", set_files.read_analogies)):
        copies[kind] = {}
        for name, path in getattr(config.evaluation, kind).items():
            source = resolve_file(path, config.folder, where=f"evaluation.{kind}.{name}")
            content = source.read_bytes()
            read(content, str(source))
            copies[kind][name] = _stamped(root / "evaluation" / f"{name}{source.suffix}", content)
    return config.model_copy(update={"evaluation": config.evaluation.model_copy(update=copies)})


def _with_stamped_vectors(config: RunConfig, root: Path) -> RunConfig:
    """The job with a copy of the word vectors that the trainer starts from; a broken file is told at once."""
    embedding = config.trainer.embedding if isinstance(config.trainer, RecurrentSettings) else None
    if embedding is None or embedding.source is None:
        return config
    from trainer.vectors import vector_files

    source = find_vectors(embedding.source, config.folder, where="trainer.embedding.from")
    vector_files.read(str(source))
    copy = _stamped(root / "vectors" / source.name, source.read_bytes())
    trainer = config.trainer.model_copy(update={"embedding": embedding.model_copy(update={"source": copy})})
    return config.model_copy(update={"trainer": trainer})


def _stamped(path: Path, content: bytes) -> str:
    """Writes a file that has its content in its name: TFX keys its cache by the name alone."""
    copy = path.with_stem(f"{path.stem}-{hashlib.sha256(content).hexdigest()[:12]}")
    copy.parent.mkdir(exist_ok=True)
    copy.write_bytes(content)
    return str(copy)


def _serving_logs(config: RunConfig) -> tuple[str, str]:
    """The pattern of the files that serving logged, and what tells that they changed; empty: none are given."""
    from components.corpus_example_gen.inputs import files

    if config.validation.serving_logs is None:
        return "", ""
    base, name = resolve_corpus_path(config.validation.serving_logs, config.folder, where="validation.serving_logs")
    pattern = f"{base}/{name}"
    return pattern, files.fingerprint(files.require_files(pattern))


def _record_end(watch: Watch, root: Path, error: BaseException) -> None:
    state: Literal["failed", "interrupted"] = "failed" if isinstance(error, Exception) else "interrupted"
    watch.stop(state)
    told = (str(error) or type(error).__name__) if state == "failed" else None
    found = _anomalies(error)
    details = {**watch.record.details, "anomalies": found} if found else watch.record.details
    history.write(root, watch.record.updated(state=state, finished=_now(), error=told, details=details))


def _anomalies(error: BaseException) -> list[dict[str, Any]]:
    """What failed the validation; TFX removes what a failed component wrote."""
    return [anomaly.to_json() for anomaly in error.anomalies] if isinstance(error, AnomalyError) else []


def _unexpected(error: Exception, component: str | None, log: Path) -> JobError:
    return JobError(
        f"{component or 'The start of the run'} failed.",
        where=component,
        found=f"{type(error).__name__}: {str(error).strip() or 'no message'}"[:2000],
        fix=f"the whole story is in {log}",
    )


def _now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)
