"""`seqloom gc`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import UsedRoot
from pipeline.console.printing import echo, echo_json, plain
from pipeline.runs import disk
from pipeline.runs.lock import RootLock
from pipeline.runs.record import read_all
from pipeline.runs.state import RunState
from trainer.errors import JobError

if TYPE_CHECKING:
    from pipeline.collection.collecting import Item

_ROWS = 40


def gc(
    root: UsedRoot,
    delete: Annotated[bool, typer.Option("--delete", help="Delete it; without this, it is only shown.")] = False,
    keep_runs: Annotated[int, typer.Option(min=1, help="The number of last runs of each job to keep.")] = 5,
    keep_versions: Annotated[
        int | None, typer.Option(min=1, help="The number of published versions to keep.", show_default="all")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print it as JSON.")] = False,
) -> None:
    """Shows what no run needs any more in a root, and deletes it with --delete.

    Exit codes: 0 success; 1 a file cannot be deleted; 2 usage error; 75 a run is using the root.
    """
    with exits_with(USAGE):
        read_all(root)  # The lock would create a root that does not exist.
        with RootLock(root):
            # ML Metadata is imported only after the command line has been checked.
            from pipeline.collection import collecting
            from pipeline.collection.liveness import Policy

            items = sorted(collecting.collect(root, Policy(keep_runs, keep_versions)), key=lambda one: -one.size)
            if delete:
                with exits_with(RunState.FAILED.exit_code), _explained(root):
                    collecting.delete(root, items)
    total = sum(item.size for item in items)
    if as_json:
        echo_json({"deleted": delete, "bytes": total, "items": [item._asdict() for item in items]}, indent=2)
        return
    if items:
        Console(highlight=False).print(_table(items))
    verb = "Deleted" if delete else "To delete"
    hint = "" if delete or not items else " Nothing is deleted without --delete."
    echo(f"{verb}: {len(items):,} files and folders, {total / 1e6:,.1f} MB.{hint}")


@contextlib.contextmanager
def _explained(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise disk.full_or_refused(error, root.absolute()) or JobError(
            "A file cannot be deleted.", where=str(error.filename or root), found=error.strerror or str(error)
        ) from error


def _table(items: list[Item]) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("what", "why", "MB"):
        table.add_column(heading, overflow="fold", justify="right" if heading == "MB" else "left")
    for item in items[:_ROWS]:
        table.add_row(plain(item.path), plain(item.reason), f"{item.size / 1e6:,.2f}")
    if len(items) > _ROWS:
        table.add_row(f"and {len(items) - _ROWS:,} more (--json shows all)", "", "")
    return table
