"""`seqloom config`: check, show, schema."""

from __future__ import annotations

import io
import json
import os

import ruamel.yaml
import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ConfigPath, Overrides, checked_job
from pipeline.config.locations import describe, resolve_corpus_path
from pipeline.config.secrets import masked_flags
from pipeline.console.printing import CONTROLS, echo, unicode_escape, visible
from pipeline.events.sinks import check as check_sinks
from pipeline.tasks.loading import json_schema, load
from trainer.errors import mask

app = typer.Typer(help="Check and show a job's configuration.", no_args_is_help=True)


class _Representer(ruamel.yaml.representer.SafeRepresenter):
    """Puts text with control characters in double quotes, in which they can be escaped."""

    def represent_text(self, text: str) -> ruamel.yaml.nodes.ScalarNode:
        """Returns the node of a text."""
        return self.represent_scalar("tag:yaml.org,2002:str", text, style='"' if CONTROLS.search(text) else None)


_Representer.add_representer(str, _Representer.represent_text)


@app.command()
def check(config: ConfigPath, overrides: Overrides = None) -> None:
    """Checks that a job's YAML is valid and its files exist."""
    with exits_with(USAGE):
        job = checked_job(config, overrides)
        corpus = resolve_corpus_path(job.corpus.path, job.folder)
        check_sinks(job.events, os.environ)
    echo(mask(f"{config} is a valid {job.task} job. It reads {describe(corpus)}"))


@app.command()
def show(config: ConfigPath, overrides: Overrides = None) -> None:
    """Prints a job's YAML with every default and override filled in, and passwords, tokens and keys masked."""
    with exits_with(USAGE):
        job = load(config, overrides or ())
    dumper = ruamel.yaml.YAML(typ="safe", pure=True)
    dumper.Representer = _Representer
    dumper.default_flow_style, dumper.width = False, 100
    dumper.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # ruamel types it as None
    text = io.StringIO()
    values = job.model_dump(mode="json", by_alias=True)
    values["beam"]["options"] = masked_flags(job.beam.options)
    dumper.dump(values, text)
    typer.echo(mask(visible(text.getvalue(), unicode_escape)), nl=False)


@app.command()
def schema() -> None:
    """Prints the JSON schema of a job's YAML."""
    typer.echo(json.dumps(json_schema(), indent=2))
