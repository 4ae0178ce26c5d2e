"""Runs, metrics and numbers as a terminal shows them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Group
from rich.table import Table
from rich.text import Text

from pipeline.runs.record import RunRecord

STYLES = {
    "waiting": "dim",
    "running": "cyan",
    "cached": "blue",
    "done": "green",
    "failed": "bold red",
    "interrupted": "yellow",
    "skipped": "dim",
    "pushed": "bold green",
    "unchanged": "green",
    "not_blessed": "bold yellow",
    "tuned": "bold green",
    "checked": "bold green",
}
"""The colour of each state of a run or a component."""

_COUNT = "documents"
"""The one metric that is a whole number."""


def number(value: float) -> str:
    """A figure with what digits it needs: 45,210 or 0.3127."""
    if abs(value) < 1e15 and value == int(value):
        return f"{int(value):,}"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"


def duration(seconds: float) -> str:
    """A time as 8.3 s, 2 min 05 s or 1 h 02 min."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def slice_name(name: str) -> str:
    """A slice as people say it: "source=imdb" is imdb, "source=questions,section=family" is questions: family."""
    return name.removeprefix("source=").replace(",section=", ": ", 1)


def metrics_table(metrics: Mapping[str, Mapping[str, float]]) -> Table:
    """Metrics with one line a slice.

    Args:
        metrics: Values by slice and metric.

    Returns:
        The table, "overall" first, with the number of documents in the last column.
    """
    found = {name for values in metrics.values() for name in values}
    names = sorted(found, key=lambda name: (name == _COUNT, name))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("slice", overflow="fold")
    for name in names:
        words = name.split("_")
        table.add_column(" ".join(words), justify="right", min_width=max(map(len, words)))
    for name in sorted(metrics, key=lambda name: (name != "overall", name)):
        values = [_metric(key, metrics[name][key]) if key in metrics[name] else "" for key in names]
        table.add_row(Text(slice_name(name), "bold" if name == "overall" else ""), *values)
    return table


def anomalies_table(anomalies: Iterable[Mapping[str, Any]]) -> Table:
    """What the validation found, one row an anomaly.

    Args:
        anomalies: Anomalies as `anomalies.json` has them.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title="What does not fit the schema", title_justify="left")
    for heading in ("split", "feature", "what", "expected", "found", "documents"):
        table.add_column(heading, overflow="fold")
    for anomaly in anomalies:
        name = Text(f"{anomaly['feature']}:{anomaly['kind']}", "yellow" if anomaly["warning"] else "bold red")
        told = [Text(anomaly[key]) for key in ("what", "expected", "found")]
        table.add_row(Text(anomaly["split"]), name, *told, Text("\n".join(anomaly["ids"])))
    return table


def anomaly_line(anomaly: Mapping[str, Any]) -> str:
    """What the validation found, in one line."""
    documents = f"; documents {', '.join(anomaly['ids'])}" if anomaly["ids"] else ""
    return (
        f"{'Warning' if anomaly['warning'] else 'Anomaly'} in {anomaly['split']}, {anomaly['feature']}:"
        f"{anomaly['kind']}: {anomaly['what']}; expected {anomaly['expected']}; found {anomaly['found']}{documents}"
    )


def verdict_text(record: RunRecord) -> Text:
    """How a run ended, in sentences."""
    sentences = {
        "pushed": f"Published as version {record.pushed.version}." if record.pushed else "Published.",
        "unchanged": "Nothing new to publish: the model is the one already published.",
        "not_blessed": "Not published: the model did not pass its gates.",
        "failed": "Failed.",
        "interrupted": "Interrupted; the same command resumes it.",
        "done": "Ended before the Pusher, as --until asked.",
        "running": "Still running.",
        "tuned": "Tuned.",
        "checked": "Checked: the job can run. Nothing was trained or published.",
    }
    lines = [Text(sentences[record.state], STYLES[record.state])]
    lines += [Text(f"- {finding}") for finding in findings(record)]
    lines += [Text(f"- {reason}") for reason in record.verdict.reasons]
    if record.error:
        lines.append(Text(record.error))
    return Text("\n").join(lines)


def findings(record: RunRecord) -> Iterator[str]:
    """What a run found of hyperparameters, and with `--dry-run` of the corpus and the model, in sentences."""
    details = record.details
    if "tuning" in details:
        best, objective = details["tuning"]["trials"][0], details["tuning"]["objective"]
        yield f"the best {objective} is {best[objective]:.4f}, of trial {best['trial']}: {assignments(best['values'])}"
    if "hyperparameters" in details:
        yield f"trained with the best hyperparameters: {assignments(details['hyperparameters']['values'])}"
    if record.state == "checked":
        yield from _checked(details)


def _checked(details: Mapping[str, Any]) -> Iterator[str]:
    corpus, learning = details["corpus"], details.get("learning_check")
    splits = ", ".join(f"{count:,} {split}" for split, count in corpus["documents"].items())
    yield f"{corpus['records']:,} records: {splits}; {corpus['quarantined']:,} quarantined"
    if learning is None:
        yield "no learning check: it is made of models with targets"
        return
    yield f"the loss at the start is {learning['start_loss']:.4f}; that of a guess is {learning['chance_loss']:.4f}"
    yield f"two batches were overfitted: a loss of {learning['overfitted_loss']:.4f} after {learning['steps']} steps"


def assignments(values: Mapping[str, Any]) -> str:
    """Values by key as one line: trainer.units 64, trainer.dropout 0.3."""
    return ", ".join(f"{key} {_value(value)}" for key, value in values.items())


def trials_table(tuning: Mapping[str, Any]) -> Table:
    """The trials of a search, one row each, in the order given.

    Args:
        tuning: The search as a run's record has it.
    """
    objective, trials = tuning["objective"], tuning["trials"]
    keys = list(dict.fromkeys(key for trial in trials for key in trial["values"]))
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("trial", objective.replace("_", " "), *keys):
        table.add_column(heading.removeprefix("trainer."), justify="right")
    for trial in trials:
        values = [_value(trial["values"][key]) if key in trial["values"] else "" for key in keys]
        table.add_row(str(trial["trial"]), f"{trial[objective]:.4f}", *values)
    return table


def runs_table(records: Sequence[RunRecord]) -> Table:
    """Runs with their components, metrics and outcomes, in the order given."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_lines=True)
    table.add_column("run", no_wrap=True)
    table.add_column("components, metrics and outcome")
    for record in records:
        metrics = [metrics_table(record.metrics)] if record.metrics else []
        table.add_row(_run(record), Group(_components(record), *metrics, verdict_text(record)))
    return table


def _value(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value).lower() if isinstance(value, bool) else str(value)


def _metric(name: str, value: float) -> str:
    return number(value) if name == _COUNT else f"{value:.4f}"


def _run(record: RunRecord) -> Text:
    lines = [Text(record.name, "bold"), Text(f"{record.started.astimezone():%Y-%m-%d %H:%M:%S}")]
    if record.finished:
        lines.append(Text(duration((record.finished - record.started).total_seconds())))
    return Text("\n").join([*lines, Text(record.state.replace("_", " "), STYLES[record.state])])


def _components(record: RunRecord) -> Table:
    by_state: dict[str, list[str]] = {}
    for component in record.components:
        timed = component.seconds is not None and component.state != "cached"
        took = f" {duration(component.seconds or 0.0)}" if timed else ""
        by_state.setdefault(component.state, []).append(component.name + took)
    grid = Table.grid(padding=(0, 1))
    for state, names in by_state.items():
        grid.add_row(Text(state, STYLES[state]), ", ".join(names))
    return grid
