"""`seqloom schema`: infer, diff."""

from __future__ import annotations

import contextlib
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer
from pydantic import ValidationError

from components.corpus_example_gen.format_keys import format_of, suffix_of
from components.corpus_example_gen.settings import CorpusSettings
from pipeline.cli.exit_codes import exits_with
from pipeline.config import source as yaml_source
from pipeline.config import validation_errors
from pipeline.config.locations import resolve_corpus_path
from pipeline.console.printing import echo, visible
from pipeline.tasks.loading import load
from trainer.errors import JobError
from trainer.text.suggestions import closest

if TYPE_CHECKING:
    from tensorflow_metadata.proto.v0 import schema_pb2

SAME, DIFFERENT, TROUBLE = 0, 1, 2
"""Exit codes of `schema diff`, the same as those of `diff`."""

app = typer.Typer(help="Infer and compare the schemas of corpora.", no_args_is_help=True)

_JOBS = {".yaml", ".yml"}

_CorpusPath = Annotated[
    str, typer.Argument(metavar="CORPUS", help="A path or glob like corpus.path, or a job's YAML.", show_default=False)
]
_SCHEMA_HELP = "A schema .pbtxt, the name of a curated schema, or a corpus or job's YAML to infer one from."
_SchemaPath = Annotated[str, typer.Argument(help=_SCHEMA_HELP, show_default=False)]
_Format = Annotated[str | None, typer.Option("--format", help="Same as corpus.format.", show_default="from the suffix")]
_Text = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="Same as corpus.text.")]
_Label = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="Same as corpus.label.")]
_Source = Annotated[str | None, typer.Option("--source", metavar="COLUMN", help="Same as corpus.source.")]


@app.command("infer")
def infer_schema(
    corpus: _CorpusPath, format_: _Format = None, text: _Text = None, label: _Label = None, source: _Source = None
) -> None:
    """Prints a schema inferred from a corpus; review it, then set `schema:` in the job's YAML to its file."""
    with exits_with(1):
        inferred = _infer(corpus, _options(format=format_, text=text, label=label, source=source))
    typer.echo(visible(inferred, _octal_escape), nl=False)


@app.command("diff")
def diff_schemas(
    first: _SchemaPath,
    second: _SchemaPath,
    format_: _Format = None,
    text: _Text = None,
    label: _Label = None,
    source: _Source = None,
) -> None:
    """Prints the differences between two schemas, one per line: FEATURE, PROPERTY: FIRST -> SECOND.

    Exit codes: 0 no differences; 1 differences; 2 a schema cannot be read or inferred.
    """
    from schema.differences import differences

    with exits_with(TROUBLE):
        options = _options(format=format_, text=text, label=label, source=source)
        lines = differences(_schema(first, options), _schema(second, options))
    for line in lines:
        echo(line)
    raise typer.Exit(DIFFERENT if lines else SAME)


def _octal_escape(character: str) -> str:
    r"""Returns the escape of a character in strings of protocol-buffer text: `\302\205`."""
    return "".join(f"\\{byte:03o}" for byte in character.encode())


def _options(**given: str | None) -> dict[str, str]:
    return {name: value for name, value in given.items() if value is not None}


def _schema(name: str, options: dict[str, str]) -> schema_pb2.Schema:
    from google.protobuf import text_format
    from tensorflow_metadata.proto.v0 import schema_pb2

    from schema import curated

    if name in curated.SCHEMAS:
        return curated.load(name)
    if Path(name).suffix != ".pbtxt":
        return text_format.Parse(_infer(name, options), schema_pb2.Schema())
    try:
        return text_format.Parse(Path(name).read_text(encoding="utf-8"), schema_pb2.Schema())
    except OSError as error:
        expected = f"a .pbtxt file, or one of {', '.join(curated.SCHEMAS)}"
        raise JobError("The schema cannot be read.", where=name, found=error.strerror, expected=expected) from error
    except (text_format.ParseError, UnicodeDecodeError) as error:
        expected = "a tensorflow.metadata.v0.Schema"
        raise JobError("The schema cannot be parsed.", where=name, found=str(error), expected=expected) from error


def _settings(corpus: str, options: dict[str, str]) -> tuple[CorpusSettings, Path]:
    """Returns the settings for reading a corpus, and the folder that relative paths start from."""
    if Path(corpus).suffix in _JOBS:
        if options:
            name = next(iter(options))
            what = f"--{name} cannot be combined with a job's YAML."
            raise JobError(what, where=corpus, fix=f"set corpus.{name} in the YAML")
        job = load(Path(corpus))
        return job.corpus, job.folder
    values: dict[str, Any] = {"format": format_of(corpus), "path": corpus, **options}
    known = sorted(get_args(CorpusSettings.model_fields["format"].annotation))
    if values["format"] not in known:
        near = closest(options["format"], known) if "format" in options else None
        raise JobError(
            "The corpus has no known format suffix." if values["format"] is None else "The format is unknown.",
            where=corpus,
            found=values["format"] or suffix_of(corpus) or "no suffix",
            expected=f"one of {', '.join(known)}",
            fix=f"did you mean {near}?" if near else "set --format",
        )
    try:
        return CorpusSettings.model_validate(values), Path.cwd()
    except ValidationError as error:
        given = yaml_source.Source(corpus, values, locations={(): corpus})
        raise validation_errors.combine(corpus, validation_errors.explain(error, given, CorpusSettings)) from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Hides the libraries' warnings and informational logs."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(logging.NOTSET)


@_quiet()
def _infer(corpus: str, options: dict[str, str]) -> str:
    import apache_beam as beam
    from apache_beam.options.pipeline_options import PipelineOptions

    from components.corpus_example_gen.inputs import input_spans, listing
    from components.corpus_validator import infer
    from pipeline.runners.local_beam import LOCAL_BEAM

    settings, folder = _settings(corpus, options)
    corpus_files = resolve_corpus_path(settings.path, folder, where=corpus)
    wanted = settings.span if isinstance(settings.span, int) else None
    resolved = input_spans.resolve(corpus_files, wanted, settings.rolling or 1)
    found = [file for _, file in listing.assign(resolved.files)]

    def make_pipeline() -> beam.Pipeline:
        return beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM)))

    with tempfile.TemporaryDirectory() as scratch:
        observed = infer.observe(found, settings, make_pipeline, scratch)
    schema, comments = infer.infer(observed, settings)
    documents = observed.statistics.documents
    header = [
        f"Inferred from {documents:,} documents of {corpus}, a corpus of kind {settings.kind}.",
        "Review it: later examples must stay within these limits. To lower one to a warning, use validation.warn.",
    ]
    if observed.bad:
        header.insert(1, f"{observed.bad:,} records are invalid; a run quarantines them.")
        typer.echo(f"{observed.bad:,} of {documents + observed.bad:,} records are invalid.", err=True)
    return infer.render(schema, header, comments)
