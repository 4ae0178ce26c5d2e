"""`seqloom store`."""

from __future__ import annotations

import os
from pathlib import Path

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, Overrides
from pipeline.console.printing import echo
from pipeline.runs.redirect import redirect_output
from pipeline.tasks.loading import load

app = typer.Typer(help="Prepare a metadata store that several jobs share.", no_args_is_help=True)


@app.command()
def init(config: ConfigPath, overrides: Overrides = None) -> None:
    """Creates the tables of ML Metadata in the database that the job names; does nothing if it has them."""
    with exits_with(USAGE):
        job = load(config, overrides or ())
        if job.metadata.address is None:
            echo("Nothing to do: with metadata: sqlite, each root has a file of its own.")
            return
        from pipeline.store import store_schema, stores
        from pipeline.store.databases import place_of
        from pipeline.store.passwords import password_of

        connection = stores.server_connection(job.metadata.address, password_of(job))
        # The library logs to stderr.
        with redirect_output(Path(os.devnull)), stores.server_database(job) as database:
            created = store_schema.initialize(database, connection)
    echo(f"{place_of(job.metadata.address)}: {'initialized' if created else 'already initialized'}")
