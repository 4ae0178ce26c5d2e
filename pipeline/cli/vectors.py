"""The commands that ask published word vectors."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli import inputs
from pipeline.cli.exit_codes import USAGE, ends_with
from pipeline.cli.word_vectors import Model
from pipeline.runs import published

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL_OR_ROOT", help="A SavedModel, or the root of a run.")]
Number = Annotated[int, typer.Option("--k", min=1, help="Answers at most.")]
_HINT = "did_you_mean"


def neighbors(
    model: ModelPath,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    k: Number = 10,
    index: Annotated[bool, typer.Option("--index", help="Search the index: fast, and nearly always right.")] = False,
) -> None:
    """Finds the words nearest to each word by the cosine of their vectors: one JSON line for each."""
    with ends_with(USAGE):
        asked, loaded = _open(model, words)
        hints = loaded.hints(asked)
        _print(_hinted(answer, hints.get(answer["word"])) for answer in loaded.neighbors(asked, k, approximate=index))


def analogy(
    model: ModelPath,
    a: Annotated[str, typer.Argument(metavar="A", help="As in man.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="As in king.", show_default=False)],
    c: Annotated[str, typer.Argument(metavar="C", help="As in woman.", show_default=False)],
    k: Number = 10,
) -> None:
    """Finds what is to C as B is to A: one JSON line."""
    with ends_with(USAGE):
        asked, loaded = _open(model, [a, b, c])
        _print([_hinted(loaded.analogy(a, b, c, k), loaded.hints(asked))])


def vectors(
    model: ModelPath,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Words.", show_default=False)] = None,
    input_path: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help='JSON lines: {"word": "..."} or "...".')
    ] = None,
) -> None:
    """Gives the vector of each word: one JSON line for each.

    Without WORD and --input it reads one word a line from the standard input.
    """
    with ends_with(USAGE):
        path = published.find_model(model)
        with inputs.asked(words, input_path, "word") as given:
            loaded: Model | None = None
            for batch in inputs.batches(given):
                # Loaded late: a broken first line is told at once.
                loaded = loaded or Model(path)
                # Looking for what was meant takes longer than the rest: it is for words that a person typed.
                hints = loaded.hints(batch) if words else {}
                _print(_hinted(answer, hints.get(answer["word"])) for answer in loaded.vectors(batch))


def _open(path: Path, words: list[str]) -> tuple[list[str], Model]:
    found = published.find_model(path)
    return list(inputs.check(words, "word")), Model(found)


def _hinted(answer: dict[str, Any], hint: str | Mapping[str, str] | None) -> dict[str, Any]:
    """Adds what may have been meant: a word, or words by the unknown ones."""
    return {**answer, _HINT: hint} if hint else answer


def _print(answers: Iterable[Mapping[str, Any]]) -> None:
    for answer in answers:
        typer.echo(json.dumps(answer, ensure_ascii=False))
