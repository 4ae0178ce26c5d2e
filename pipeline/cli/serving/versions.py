"""`seqloom versions`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import UsedRoot
from pipeline.console.printing import echo_json, plain
from pipeline.runs.record import read_all

if TYPE_CHECKING:
    from components.pusher.serving_history import HistoryEntry
    from pipeline.cli.serving.serving_versions import ServingVersion


def versions(
    root: UsedRoot, as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False
) -> None:
    """Lists the published versions of a root: when, by which run, their metrics, and which one is served."""
    with exits_with(USAGE):
        read_all(root)  # TensorFlow is imported only after the command line has been checked.
        from pipeline.cli.serving.serving_versions import published_versions

        found = published_versions(root)
    if as_json:
        echo_json([_values(one) for one in found], indent=2)
    else:
        Console(highlight=False).print(_table(found))


def _values(one: ServingVersion) -> dict[str, object]:
    entry = None if one.entry is None else one.entry.model_dump(mode="json", exclude_none=True)
    return {**one._asdict(), "entry": entry}


def _table(found: list[ServingVersion]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("version", "published", "from", "metrics", ""):
        table.add_column(heading, no_wrap=heading in ("version", "published"), overflow="fold")
    for one in reversed(found):
        entry = one.entry
        metrics = ", ".join(f"{name} {value:.4f}" for name, value in one.metrics.items() if name != "documents")
        notes = [*(["served"] if one.newest else []), *([f"rolled back: {one.withdrawn}"] if one.withdrawn else [])]
        table.add_row(
            str(one.number),
            "" if entry is None else f"{entry.time.astimezone():%Y-%m-%d %H:%M:%S}",
            plain("" if entry is None else _source(entry)),
            metrics,
            plain("; ".join(notes), "bold green" if one.newest else ""),
        )
    return table


def _source(entry: HistoryEntry) -> str:
    if entry.source is not None:
        return f"rollback to {entry.source}: {entry.why}"
    return f"run {entry.run}" if entry.run else "a push"
