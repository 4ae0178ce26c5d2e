"""The command line `seqloom`."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated

import typer

from pipeline.cli import config, schema
from pipeline.cli.querying.analogy import analogy
from pipeline.cli.querying.neighbors import neighbors
from pipeline.cli.querying.predict import predict
from pipeline.cli.querying.vectors import vectors
from pipeline.cli.run import run
from pipeline.cli.runs import runs
from pipeline.cli.tune import tune

app = typer.Typer(
    name="seqloom",
    help="Text corpora in; checked, evaluated and published sequence models out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (run, tune, predict, neighbors, analogy, vectors, runs):
    app.command()(command)
app.add_typer(config.app, name="config")
app.add_typer(schema.app, name="schema")


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
