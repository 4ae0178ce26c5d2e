"""Formats runs, metrics and numbers for the console."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.console.printing import plain
from pipeline.runs.details import AnomalyDetails, BaselineDetails, TransformDetails, TuningDetails
from pipeline.runs.record import RunRecord
from pipeline.runs.state import ComponentState, RunState
from pipeline.tasks.registry import TASKS

_COUNT = "documents"
"""The only metric that is an integer."""
_COMPARED = "accuracy"
"""The metric by which a model beats the linear one."""
_LOW_COVERAGE = 0.5
"""The share of known tokens below which a run names it."""


def number(value: float) -> str:
    """Formats a number with as many digits as it needs: 45,210 or 0.3127."""
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """Formats a duration: 8.3 s, 2 min 05 s or 1 h 02 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def slice_name(name: str) -> str:
    """Formats a slice: "source=imdb" as imdb, "source=questions,section=family" as questions: family."""
    return name.removeprefix("source=").replace(",section=", ": ", 1)


def metrics_table(metrics: Mapping[str, Mapping[str, float]], baselines: BaselineDetails | None = None) -> Table:
    """Returns a table of metrics by slice, with "overall" first and the number of documents in the last column.

    Below the slices are the metrics of simple models, of all documents.
    """
    found = {name for values in metrics.values() for name in values}
    names = sorted(found, key=lambda name: (name == _COUNT, name))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("slice", overflow="fold")
    for name in names:
        words = name.split("_")
        table.add_column(plain(" ".join(words)), justify="right", min_width=max(map(len, words)))
    for name in sorted(metrics, key=lambda name: (name != "overall", name)):
        values = {key: number(value) if key == _COUNT else f"{value:.4f}" for key, value in metrics[name].items()}
        cells = [values.get(key, "") for key in names]
        table.add_row(plain(slice_name(name), "bold" if name == "overall" else ""), *cells)
    for name, simple in baselines.by_row.items() if baselines else ():
        table.add_row(plain(name, "dim"), *(f"{simple[key]:.4f}" if key in simple else "" for key in names))
    return table


def anomalies_table(anomalies: Iterable[AnomalyDetails]) -> Table:
    """Returns a table of anomalies, one row each."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="Schema anomalies", title_justify="left")
    for heading in ("split", "feature", "what", "expected", "found", "documents"):
        table.add_column(heading, overflow="fold")
    for anomaly in anomalies:
        name = plain(f"{anomaly.feature}:{anomaly.kind}", "yellow" if anomaly.warning else "bold red")
        texts = [plain(text) for text in (anomaly.what, anomaly.expected, anomaly.found)]
        table.add_row(plain(anomaly.split), name, *texts, plain("\n".join(anomaly.ids)))
    return table


def anomaly_line(anomaly: AnomalyDetails) -> str:
    """Formats an anomaly as one line."""
    documents = f"; documents {', '.join(anomaly.ids)}" if anomaly.ids else ""
    return (
        f"{'Warning' if anomaly.warning else 'Anomaly'} in {anomaly.split}, {anomaly.feature}:"
        f"{anomaly.kind}: {anomaly.what}; expected {anomaly.expected}; found {anomaly.found}{documents}"
    )


def verdict_text(record: RunRecord) -> Text:
    """Formats the outcome of a run."""
    lines = [plain(record.sentence, record.state.style)]
    lines += [plain(f"- {finding}") for finding in findings(record)]
    lines += [plain(f"- {reason}") for reason in (*record.verdict.reasons, *(record.details.undefined or ()))]
    if record.error:
        lines.append(plain(record.error))
    return Text("\n").join(lines)


def findings(record: RunRecord) -> Iterator[str]:
    """Yields a run's findings about its corpus, its model, its hyperparameters and, for `--dry-run`, its start."""
    details = record.details
    corpus = details.corpus
    if corpus is not None and corpus.quarantined:
        reason = max(corpus.reasons, key=lambda reason: corpus.reasons[reason], default="no reason recorded")
        yield f"{corpus.quarantined:,} of {corpus.records:,} records quarantined, most often: {reason}"
    if corpus is not None and corpus.spanning_lines:
        yield f"{corpus.spanning_lines:,} records span several lines, in quotes (corpus.quoting: none reads by line)"
    if details.transform is not None:
        yield from _low_coverage(details.transform)
    if record.task is not None and record.task in TASKS and details.training is not None:
        yield from TASKS[record.task].report(details.training.model_dump())
    yield from _comparison(record)
    if details.tuning is not None:
        best, objective = details.tuning.trials[0], details.tuning.objective
        score = details.tuning.score(best)
        yield f"best {objective} {score:.4f} in trial {best.trial}: {assignments(best.values)}"
    if details.hyperparameters is not None:
        yield f"trained with the best hyperparameters: {assignments(details.hyperparameters.values)}"
    if record.state is not RunState.CHECKED:
        return
    if corpus is not None:
        splits = ", ".join(f"{count:,} {split}" for split, count in corpus.documents.items())
        yield f"{corpus.records:,} records: {splits}; {corpus.quarantined:,} quarantined"
    learning = details.learning_check
    if learning is None:
        yield "learning check skipped: only supervised tasks have one"
        return
    yield f"initial loss {learning.start_loss:.4f} (uniform guess: {learning.chance_loss:.4f})"
    yield f"overfitted two batches to a loss of {learning.overfitted_loss:.4f} in {learning.steps} steps"


def _comparison(record: RunRecord) -> Iterator[str]:
    """Yields that the model is no better than the linear one, and why either figure is uncertain."""
    baselines, overall = record.details.baselines, record.metrics.get("overall", {})
    if baselines is not None:
        linear = baselines.linear
        if linear.documents < linear.train_documents:
            yield f"the linear model is fitted to {linear.documents:,} of {linear.train_documents:,} train documents"
        own, simple = overall.get(_COMPARED), linear.metrics.get(_COMPARED)
        if own is not None and simple is not None and own <= simple:
            relation = "equals" if own == simple else "is below"
            figures = f"{_COMPARED} {own:.4f} {relation} the linear model's {simple:.4f}"
            yield f"the model does not beat the linear model: {figures}"
    for small in record.details.small_test or ():
        bounds = f"{small.low:.4f} to {small.high:.4f}"
        documents = f"{small.documents} document" + "s" * (small.documents != 1)
        yield f"the test split is small: from {documents}, the 95 % interval (Wilson) of {small.metric} is {bounds}"


def _low_coverage(transform: TransformDetails) -> Iterator[str]:
    """Yields the share of known tokens of each split that has more unknown ones."""
    for split, dataset in (transform.model_extra or {}).items():
        if dataset["coverage"] < _LOW_COVERAGE:
            yield f"the vocabulary covers only {dataset['coverage']:.1%} of the tokens of the {split} split"


def assignments(values: Mapping[str, object]) -> str:
    """Formats values by key on one line: trainer.units 64, trainer.dropout 0.3."""
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items())


def trials_table(tuning: TuningDetails) -> Table:
    """Returns a table of a search's trials, in the order given."""
    keys = list(dict.fromkeys(key for trial in tuning.trials for key in trial.values))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("trial", tuning.objective.replace("_", " "), *keys):
        table.add_column(plain(heading.removeprefix("trainer.")), justify="right")
    for trial in tuning.trials:
        values = [_value(trial.values[key]) if key in trial.values else "" for key in keys]
        table.add_row(str(trial.trial), f"{tuning.score(trial):.4f}", *map(plain, values))
    return table


def runs_table(records: Sequence[RunRecord]) -> Table:
    """Returns a table of runs with their components, metrics and outcomes, in the order given."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_lines=True)
    table.add_column("run", no_wrap=True)
    table.add_column("components, metrics and outcome")
    for record in records:
        metrics = [metrics_table(record.metrics, record.details.baselines)] if record.metrics else []
        table.add_row(_run(record), Group(_components(record), *metrics, verdict_text(record)))
    return table


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _run(record: RunRecord) -> Text:
    lines = [plain(record.name, "bold"), plain(f"{record.started.astimezone():%Y-%m-%d %H:%M:%S}")]
    if record.finished:
        lines.append(plain(duration((record.finished - record.started).total_seconds())))
    return Text("\n").join([*lines, plain(record.state.value.replace("_", " "), record.state.style)])


def _components(record: RunRecord) -> Table:
    by_state: dict[ComponentState, list[str]] = {}
    for component in record.components:
        timed = component.seconds is not None and component.state is not ComponentState.CACHED
        took = f" {duration(component.seconds or 0.0)}" if timed else ""
        by_state.setdefault(component.state, []).append(component.name + took)
    grid = Table.grid(padding=(0, 1))
    for state, names in by_state.items():
        grid.add_row(plain(state.value, state.style), plain(", ".join(names)))
    return grid
