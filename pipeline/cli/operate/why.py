"""`seqloom why`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, Overrides, RootPath, checked_job, require_component
from pipeline.console.printing import echo, echo_json, plain
from pipeline.runners.causes.changes import Difference
from pipeline.runners.causes.explaining import Explanation
from pipeline.runners.causes.explaining import explain as find_reasons

_CLAUSES = 3
_ROWS = 20

ComponentName = Annotated[
    str, typer.Argument(metavar="COMPONENT", help="The component, e.g. Trainer.", show_default=False)
]


def why(
    config: ConfigPath,
    component: ComponentName,
    root: RootPath = None,
    overrides: Overrides = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the explanation as JSON.")] = False,
) -> None:
    """Explains why a component would run again or come from the cache: what differs from its earlier executions."""
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        require_component(component, job, "COMPONENT")
        found = find_reasons(job, root or Path("runs") / job.name, component)
    if as_json:
        echo_json(_as_json(found), indent=2)
        return
    echo(_headline(found))
    for each in (found, found.upstream):
        if each is not None and each.differences:
            Console(highlight=False).print(_table(each))


def _headline(found: Explanation) -> str:
    if found.state == "cached":
        return f"{found.component} would come from the cache" + (f", from run {found.run}." if found.run else ".")
    if found.upstream is not None:
        return f"{found.component} would run after {found.upstream.component}. {_headline(found.upstream)}"
    if found.reason is not None:
        return f"{found.component} would run: {found.reason}."
    clauses = [each.clause for each in found.differences[:_CLAUSES]]
    more = len(found.differences) - len(clauses)
    words = "; ".join([*clauses, *([f"{more} more"] if more else [])])
    return f"{found.component} would run: {words} (compared with run {found.run})."


def _as_json(found: Explanation) -> dict[str, Any]:
    upstream = None if found.upstream is None else _as_json(found.upstream)
    rows = [each._asdict() for each in found.differences]
    headline = {"headline": _headline(found)}
    return {**found._asdict(), "differences": rows, "upstream": upstream, **headline}


def _table(found: Explanation) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, title=None)
    for heading in (found.component, "what", f"run {found.run}", "now"):
        table.add_column(heading, overflow="fold")
    for each in found.differences[:_ROWS]:
        table.add_row(each.kind, plain(each.name), *map(plain, _values(each)))
    if len(found.differences) > _ROWS:
        table.add_row("", f"and {len(found.differences) - _ROWS} more (--json shows all)", "", "")
    return table


def _values(difference: Difference) -> tuple[str, str]:
    old, new = difference.old, difference.new
    if difference.kind in ("file", "code"):
        return _short(old), _short(new)
    return old if old is not None else "", new if new is not None else ""


def _short(content: str | None) -> str:
    """Returns the end of a fingerprint, which is enough to tell two apart."""
    return "" if content is None else content.rpartition(":")[2][:12]
