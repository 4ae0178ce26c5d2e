"""The command line `seqloom`."""

from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console

from pipeline.cli import inputs, predict, schema, vectors
from pipeline.cli.exit_codes import FAILED, INTERRUPTED, NOT_BLESSED, USAGE, ends_with
from pipeline.config import job as configuration
from pipeline.config.job import Goal, RunConfig, SupervisedConfig, resolve_corpus_path, resolve_file
from pipeline.config.locations import describe
from pipeline.config.suggestions import closest
from pipeline.runs import published
from pipeline.runs import record as history
from pipeline.runs.pretrained import find_vectors
from trainer.errors import JobError
from trainer.recurrent.settings import RecurrentSettings

EXIT_CODES: dict[history.RunState, int] = {
    "pushed": 0,
    "unchanged": 0,
    "done": 0,
    "tuned": 0,
    "checked": 0,
    "not_blessed": NOT_BLESSED,
    "failed": FAILED,
    "interrupted": INTERRUPTED,
    "running": FAILED,
}

app = typer.Typer(
    name="seqloom",
    help="Text corpora in; checked, judged and published sequence models out.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
config_app = typer.Typer(help="Look at a job's configuration.", no_args_is_help=True)
app.add_typer(config_app, name="config")
app.add_typer(schema.app, name="schema")

ConfigPath = Annotated[Path, typer.Argument(metavar="CONFIG", help="The job's YAML.", show_default=False)]
RootPath = Annotated[Path | None, typer.Option("--root", help="Where the run is kept.", show_default="runs/<name>")]
NoCache = Annotated[bool, typer.Option("--no-cache", help="Run every component again.")]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Replace a key, as in trainer.epochs=3; repeatable."),
]


def main() -> None:
    """Runs the command line."""
    app()


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"seqloom {_version()}")
        raise typer.Exit


@app.callback()
def _common(
    _version_asked: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", callback=_print_version, is_eager=True)
    ] = False,
) -> None: ...


@app.command()
def run(
    config: ConfigPath,
    root: RootPath = None,
    overrides: Overrides = None,
    until: Annotated[str | None, typer.Option(metavar="COMPONENT", help="End after this component.")] = None,
    no_cache: NoCache = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Check job, corpus and model; train and publish nothing.")
    ] = False,
) -> None:
    """Runs a job: reads its corpus, trains, evaluates, and publishes a model that passes.

    Exit codes: 0 published, or nothing new; 1 failed; 2 wrong usage; 3 finished, but not good enough to publish.
    """
    with ends_with(USAGE):
        job = _checked(config, overrides)
        _check_component(until, job)
        if dry_run and until is not None:
            raise JobError("--dry-run ends by itself.", where="--until", found=until, fix="give one of the two")
    _run(job, root, "check" if dry_run else "publish", until, use_cache=not no_cache)


@app.command()
def tune(config: ConfigPath, root: RootPath = None, overrides: Overrides = None, no_cache: NoCache = False) -> None:
    """Searches the hyperparameters that the job's `tune` section declares, and shows the trials, best first.

    `seqloom run` takes the best of them from the same root with `tune.use: true`.
    """
    with ends_with(USAGE):
        job = _checked(config, overrides)
        _check_search(config, job)
    _run(job, root, "tune", None, use_cache=not no_cache)


@app.command("predict")
def predict_texts(
    model: Annotated[Path, typer.Argument(metavar="MODEL_OR_ROOT", help="A SavedModel, or the root of a run.")],
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts.", show_default=False)] = None,
    input_path: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help='JSON lines: {"text": "..."} or "...".')
    ] = None,
) -> None:
    """Asks a published classifier or tagger: one JSON line for each text.

    Without TEXT and --input it reads one text a line from the standard input.
    """
    with ends_with(USAGE):
        path = published.find_model(model)
        with inputs.asked(texts, input_path, "text") as given:
            for answer in predict.predict(path, given):
                typer.echo(json.dumps(answer, ensure_ascii=False))


for _command in (vectors.neighbors, vectors.analogy, vectors.vectors):
    app.command()(_command)


@app.command()
def runs(
    root: Annotated[Path, typer.Argument(metavar="ROOT", help="The root of the runs, as runs/sentiment.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the records as JSON.")] = False,
) -> None:
    """Shows what ran at a root: when, what came from cache, metrics, verdicts and published versions."""
    with ends_with(USAGE):
        records = history.read_all(root)
        if not records:
            raise JobError("No run was made at this root.", where=str(root), expected="logs/<run>/run.json")
    if as_json:
        typer.echo(json.dumps([record.model_dump(mode="json") for record in records], indent=2, ensure_ascii=False))
        return
    from pipeline.console.tables import runs_table

    Console(highlight=False).print(runs_table(records))


@config_app.command("schema")
def config_schema() -> None:
    """Prints the JSON schema of a job's YAML."""
    typer.echo(json.dumps(configuration.json_schema(), indent=2))


@config_app.command("show")
def config_show(config: ConfigPath, overrides: Overrides = None) -> None:
    """Prints a job's YAML with every default and override filled in."""
    with ends_with(USAGE):
        job = configuration.load(config, overrides or ())
    data = job.model_dump(mode="json", by_alias=True)
    typer.echo(yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100), nl=False)


@config_app.command("check")
def config_check(config: ConfigPath, overrides: Overrides = None) -> None:
    """Checks a job's YAML and that its files exist."""
    with ends_with(USAGE):
        job = _checked(config, overrides)
        corpus = resolve_corpus_path(job.corpus.path, job.folder)
    typer.echo(f"{config} is a valid {job.task}. It reads {describe(corpus)}")


def _run(job: RunConfig, root: Path | None, goal: Goal, until: str | None, *, use_cache: bool) -> None:
    """Runs a job toward a goal and ends with the exit code of how it ended."""
    from pipeline.console.live import RunConsole
    from pipeline.runners import local

    where = root or Path("runs") / job.name
    try:
        with ends_with(FAILED), RunConsole() as console:
            record = local.run(job, root=where, goal=goal, until=until, use_cache=use_cache, console=console)
            console.result(record)
    except KeyboardInterrupt:
        typer.echo("Interrupted. The same command again resumes from what is done.", err=True)
        raise typer.Exit(INTERRUPTED) from None
    raise typer.Exit(EXIT_CODES[record.state])


def _check_search(config: Path, job: RunConfig) -> None:
    if not isinstance(job, SupervisedConfig):
        raise JobError(f"A job of task {job.task} has no hyperparameters to tune.", where=str(config))
    if job.tune is None:
        raise JobError(
            "The job declares no search for hyperparameters.",
            where=str(config),
            expected="a section tune with a space",
            fix="add tune: {space: {trainer.learning_rate: {min: 1e-4, max: 1e-2, scale: log}}}",
        )


def _checked(config: Path, overrides: list[str] | None) -> RunConfig:
    """Loads a job and looks its files up, so that a missing one is told before anything starts."""
    job = configuration.load(config, overrides or ())
    resolve_corpus_path(job.corpus.path, job.folder, where=f"{config}, corpus.path")
    for key, path in job.files():
        resolve_file(path, job.folder, where=f"{config}, {key}")
    if isinstance(job.trainer, RecurrentSettings) and job.trainer.embedding.source:
        find_vectors(job.trainer.embedding.source, job.folder, where=f"{config}, trainer.embedding.from")
    if job.validation.serving_logs:
        resolve_corpus_path(job.validation.serving_logs, job.folder, where=f"{config}, validation.serving_logs")
    return job


def _check_component(until: str | None, job: RunConfig) -> None:
    if until is not None and until not in job.components:
        near = closest(until, job.components)
        raise JobError(
            f"A job of task {job.task} has no component {until}.",
            where="--until",
            expected=", ".join(job.components),
            fix=f"did you mean {near}?" if near else None,
        )


def _version() -> str:
    try:
        return importlib.metadata.version("seqloom")
    except importlib.metadata.PackageNotFoundError:
        return "(not installed)"


if __name__ == "__main__":
    main()
