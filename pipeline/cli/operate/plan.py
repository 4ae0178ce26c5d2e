"""`seqloom plan`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, Overrides, checked_job, folder
from pipeline.config.sections import ResourceSettings
from pipeline.console.printing import echo_json
from pipeline.runners.planning import PlannedComponent
from pipeline.runners.planning import plan as make_plan

CacheRoot = Annotated[
    Path | None,
    typer.Option(
        "--root",
        metavar="PATH",
        parser=folder,
        help="Also show what would come from the cache of this root.",
        show_default=False,
    ),
]


def plan(
    config: ConfigPath,
    root: CacheRoot = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the plan as JSON.")] = False,
) -> None:
    """Shows the components of a job in order, what each waits for and needs, and what a root has in its cache."""
    with exits_with(USAGE):
        found = make_plan(checked_job(config, overrides), root)
    if as_json:
        echo_json([_as_json(component) for component in found], indent=2)
    else:
        Console(highlight=False).print(_table(found, cached=root is not None))


def _as_json(component: PlannedComponent) -> dict[str, object]:
    found = {**component._asdict(), "resources": component.resources.model_dump(mode="json", exclude_none=True)}
    return {name: value for name, value in found.items() if value is not None}


def _table(components: list[PlannedComponent], *, cached: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    needs = any(component.resources != ResourceSettings() for component in components)
    headings = ("component", "waits for", *(["resources"] if needs else []), *(["cache"] if cached else []))
    for heading in headings:
        table.add_column(heading)
    for component in components:
        cells = [component.name, ", ".join(component.upstream)]
        cells += [_format(component.resources)] if needs else []
        cells += [component.cache or ""] if cached else []
        table.add_row(*cells)
    return table


def _format(resources: ResourceSettings) -> str:
    words = [f"{resources.cpu:g} CPU"] if resources.cpu else []
    words += [f"{resources.memory:g} GiB"] if resources.memory else []
    words += [f"{resources.gpu} GPU"] if resources.gpu else []
    return ", ".join(words)
