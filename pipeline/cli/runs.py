"""`seqloom runs`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from pipeline.cli.exit_codes import USAGE, ends_with
from pipeline.console.tables import runs_table
from pipeline.runs.record import read_all
from trainer.errors import JobError


def runs(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The root of the runs, for example runs/sentiment.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Shows what ran in a root: when, what came from cache, metrics, verdicts and published versions."""
    with ends_with(USAGE):
        records = read_all(root)
        if not records:
            raise JobError("No runs found in this directory.", where=str(root), expected="logs/<run>/run.json")
    if as_json:
        typer.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2, ensure_ascii=False))
    else:
        Console(highlight=False).print(runs_table(records))
