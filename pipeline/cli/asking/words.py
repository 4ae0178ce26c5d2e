"""What the commands about words share: opening a model, and printing answers with hints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from pipeline.cli.asking import inputs
from pipeline.runs import published

_HINT = "did_you_mean"


def open_words(path: Path, command: str, words: list[str]) -> tuple[list[str], Any]:
    """Opens a model for a command.

    Args:
        path: A SavedModel, or the root of a run.
        command: The command.
        words: Arguments of the command line.

    Returns:
        The words, known to be valid Unicode, and what answers the command.
    """
    found = published.find_model(path)
    return list(inputs.check(words, "word")), published.open_answers(found, command)


def with_hint(answer: dict[str, Any], hint: str | Mapping[str, str] | None) -> dict[str, Any]:
    """Adds what may have been meant: a word, or words by the unknown ones."""
    return {**answer, _HINT: hint} if hint else answer


def print_answers(answers: Iterable[Mapping[str, Any]]) -> None:
    """Prints one JSON line per answer."""
    for answer in answers:
        typer.echo(json.dumps(answer, ensure_ascii=False))
