"""Shared by the commands on words: opening a model, and printing answers with hints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.cli.querying import inputs
from pipeline.console.printing import echo_json
from pipeline.runs.published import find_model
from pipeline.tasks.answers import open_answers


def open_words(path: Path, command: str, words: list[str]) -> tuple[list[str], Any]:
    """Returns a command's words, checked to be valid Unicode, and the object of a model that answers the command."""
    found = find_model(path)
    return list(inputs.check(words, "word")), open_answers(found, command)


def with_hint(answer: dict[str, Any], hint: str | Mapping[str, str] | None) -> dict[str, Any]:
    """Adds a suggestion to an answer: a word, or a word for each unknown one."""
    return {**answer, "did_you_mean": hint} if hint else answer


def print_answers(answers: Iterable[Mapping[str, Any]]) -> None:
    """Prints one JSON line per answer."""
    for answer in answers:
        echo_json(answer)
