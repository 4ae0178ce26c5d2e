"""`seqloom doctor`."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.options import RootPath
from pipeline.console.printing import echo, plain
from pipeline.diagnosis.diagnosis import Diagnosis, DiagnosisState
from pipeline.runs.state import RunState
from trainer.errors import mask

JobPath = Annotated[
    Path | None, typer.Argument(metavar="CONFIG", help="A job's YAML: also check what it needs.", show_default=False)
]


def doctor(config: JobPath = None, root: RootPath = None) -> None:
    """Shows what a run would find on this machine, with a remedy for whatever is missing.

    Exit codes: 0 nothing is missing; 1 something is.
    """
    # Needed by no other command.
    from pipeline.diagnosis.examination import examine

    with warnings.catch_warnings():
        # Of libraries about each other, which a run writes to its log.
        warnings.simplefilter("ignore")
        found = list(examine(config, root))
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(_table(found))
    else:
        for one in found:
            echo(_line(one))
    if any(one.state is DiagnosisState.MISSING for one in found):
        raise typer.Exit(RunState.FAILED.exit_code)


def _table(found: list[Diagnosis]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("", "name", "found"):
        table.add_column(heading, overflow="fold")
    for one in found:
        cell = plain(mask(one.found))
        if one.remedy:
            cell.append_text(plain(f"\n{mask(one.remedy)}", "bold"))
        table.add_row(plain(one.state.value, one.state.style), plain(one.name), cell)
    return table


def _line(one: Diagnosis) -> str:
    return mask(f"{one.state.value}: {one.name}: {one.found}" + (f"; remedy: {one.remedy}" if one.remedy else ""))
