"""`seqloom init`."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from components.corpus_example_gen.detection.guess import Wanted, number_of
from components.corpus_example_gen.detection.survey import Survey
from components.corpus_example_gen.format_keys import COLUMN_FORMATS
from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import checked_job
from pipeline.console.printing import echo
from pipeline.runs.disk import write
from pipeline.scaffold.examine import Examined, examine
from pipeline.scaffold.job_yaml import default_path, job_name, render, scalar
from trainer.errors import JobError

_STDOUT = "-"
_SHOWN = (
    *("format", "encoding", "header", "quoting", "escape", "text", "tokens", "tag", "columns", "document", "label"),
    *("split", "source", "max_bad_fraction"),
)
"""The keys whose values are printed."""

_Corpus = Annotated[
    str, typer.Argument(metavar="CORPUS", help="A file, a folder or a quoted glob of text.", show_default=False)
]
_Text = Annotated[str | None, typer.Option("--text", metavar="COLUMN", help="The column of the texts.")]
_Label = Annotated[str | None, typer.Option("--label", metavar="COLUMN", help="The column of the labels; '' for none.")]
_Output = Annotated[
    str | None, typer.Option("--output", metavar="FILE", help="The YAML; - prints it.", show_default="<corpus>.yaml")
]


def init(
    corpus: _Corpus,
    text: _Text = None,
    label: _Label = None,
    output: _Output = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing YAML.")] = False,
) -> None:
    """Looks at a corpus and writes a job's YAML for it, with the reason for each choice.

    Prints what it finds: format, columns, classes, lengths, duplicates and unreadable records.

    Exit codes: 0 success; 2 the corpus cannot be used, or the YAML exists.
    """
    with exits_with(USAGE):
        target = None if output is None or output == _STDOUT else Path(output)
        _require_absent(target, force)
        found = examine(corpus, Wanted(text, label))
        if output is None:
            target = default_path(found.layout.stem)
            _require_absent(target, force)
        name = job_name(found.layout.stem if output in (None, _STDOUT) else Path(output).stem)
        command = shlex.join(["seqloom", "init", corpus, *_options(text=text, label=label)])
        yaml = render(found, name, Path.cwd() if target is None else target.parent, command)
        if target is not None:
            _write(target, yaml)
    for line in _summary(found, corpus):
        echo(line, err=target is None)
    if target is None:
        echo(yaml.rstrip("\n"))
        return
    echo(f"Wrote {target}. Next:")
    for line in _next_commands(found, target, name):
        echo(f"  {line}")


def _options(**given: str | None) -> Iterator[str]:
    for name, value in given.items():
        if value is not None:
            yield from (f"--{name}", value)


def _require_absent(target: Path | None, force: bool) -> None:
    if target is not None and target.exists() and not force:
        fix = "add --force to replace it, or --output FILE to write another one"
        raise JobError("The YAML already exists.", where=str(target), fix=fix)


def _write(target: Path, text: str) -> None:
    try:
        write(target, text.encode())
    except OSError as error:
        raise JobError("The YAML cannot be written.", where=str(target), found=error.strerror) from error
    checked_job(target, None)


def _summary(found: Examined, corpus: str) -> Iterator[str]:
    counts, guess, kind = found.counts, found.guess, found.settings.kind
    files = f" in {len(found.layout.files):,} files" if len(found.layout.files) > 1 else ""
    looked = "all" if counts.is_complete else "not all, but the first"
    yield f"{corpus}: looked at {looked} {number_of(counts.records, 'record')}{files}"
    for key in _SHOWN:
        if key in guess.values:
            reason = guess.reasons.get(key, "")
            yield _row(key, scalar(guess.values[key]) + (f": {reason}" if reason else ""))
    if kind.tokenized:
        yield _row("tags", ", ".join(f"{name} {count:,}" for name, count in counts.classes.most_common(8)))
    unit = "tokens" if kind.tokenized else "words"
    yield _row("length", f"median {counts.median:,.0f} {unit}, longest {counts.longest:,}")
    yield _row("duplicates", f"{number_of(counts.duplicates, 'document')} equal to an earlier one")
    yield _row("unreadable", _about_bad(counts))
    yield _row("task", f"{found.task.name}: {found.task.about}, {_why(found)}")
    for remark in found.remarks:
        yield _row("note", remark)


def _about_bad(counts: Survey) -> str:
    if counts.first_bad is None:
        return "0 records"
    reasons = ", ".join(f"{reason} {count:,}" for reason, count in counts.bad.most_common(3))
    first = f"{counts.first_bad.file}, line {counts.first_bad.line}"
    return f"{number_of(sum(counts.bad.values()), 'record')}: {reasons}; the first in {first}"


def _why(found: Examined) -> str:
    settings = found.settings
    if settings.kind.tokenized:
        return "because the tokens have tags"
    if settings.is_labelled:
        return "because the documents have labels"
    has_columns = settings.format in COLUMN_FORMATS
    return "because nothing looks like a label" + ("; --label COLUMN names the labels" if has_columns else "")


def _row(name: str, text: str) -> str:
    return f"  {name:<16} {text}"


def _next_commands(found: Examined, target: Path, name: str) -> Iterator[str]:
    yield f"seqloom run {shlex.quote(str(target))}"
    command = next(iter(found.task.answers()), None)
    if command is not None:
        yield f"seqloom {command} runs/{name} " + ('"a text"' if command == "predict" else "WORD")
