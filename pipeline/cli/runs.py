"""`seqloom runs`."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import UsedRoot
from pipeline.console.printing import echo_json
from pipeline.console.tables import runs_table
from pipeline.runs.record import read_all
from trainer.errors import JobError


def runs(
    root: UsedRoot,
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Lists the runs of a root with their times, cached components, metrics, verdicts and published versions."""
    with exits_with(USAGE):
        records = read_all(root)
        if not records:
            raise JobError("No runs found in this directory.", where=str(root), expected="logs/<run>/run.json")
    if as_json:
        echo_json([record.model_dump(mode="json") for record in records], indent=2)
    else:
        Console(highlight=False).print(runs_table(records))
