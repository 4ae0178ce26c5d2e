"""The command line `seqloom`."""

from __future__ import annotations

import contextlib
import importlib.metadata
from collections.abc import Iterator
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pipeline.cli import config, schema
from pipeline.cli.init import init
from pipeline.cli.operate.backfill import backfill
from pipeline.cli.operate.compile import compile_job
from pipeline.cli.operate.doctor import doctor
from pipeline.cli.operate.gc import gc
from pipeline.cli.operate.plan import plan
from pipeline.cli.operate.schedule import schedule
from pipeline.cli.operate.store import app as store
from pipeline.cli.operate.why import why
from pipeline.cli.querying.analogy import analogy
from pipeline.cli.querying.neighbors import neighbors
from pipeline.cli.querying.predict import predict
from pipeline.cli.querying.vectors import vectors
from pipeline.cli.run import run
from pipeline.cli.runs import runs
from pipeline.cli.serving.rollback import rollback
from pipeline.cli.serving.verify import verify
from pipeline.cli.serving.versions import versions
from pipeline.cli.tune import tune
from pipeline.console.printing import visible


class _Commands(TyperGroup):
    """The commands; their usage errors quote arguments, which may be names of files, with visible characters."""

    def make_context(self, *args: Any, **extra: Any) -> Any:
        """Parses the options of the group."""
        with _visible_errors():
            return super().make_context(*args, **extra)

    def invoke(self, ctx: Any) -> Any:
        """Parses the rest of the command line, and runs the command."""
        with _visible_errors():
            return super().invoke(ctx)


@contextlib.contextmanager
def _visible_errors() -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if isinstance(message := getattr(error, "message", None), str):
            error.message = visible(message)  # type: ignore[attr-defined] # typer exports no class of usage errors
        raise


app = typer.Typer(
    cls=_Commands,
    name="seqloom",
    help="Text corpora in; checked, evaluated and published sequence models out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_JOBS = (init, run, plan, why, tune, schedule, backfill, doctor, gc)
_RESULTS = (runs, predict, neighbors, analogy, vectors, versions, verify, rollback)
for command in (*_JOBS, *_RESULTS):
    app.command()(command)
app.command("compile")(compile_job)
app.add_typer(config.app, name="config")
app.add_typer(schema.app, name="schema")
app.add_typer(store, name="store")


def main() -> None:
    """Runs the command line."""
    app()


def _print_version(requested: bool) -> None:
    if requested:
        try:
            version = importlib.metadata.version("seqloom")
        except importlib.metadata.PackageNotFoundError:
            version = "(not installed)"
        typer.echo(f"seqloom {version}")
        raise typer.Exit


@app.callback()
def _common(
    _version: Annotated[
        bool, typer.Option("--version", help="Print the version and exit.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...
