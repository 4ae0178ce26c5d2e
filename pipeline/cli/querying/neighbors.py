"""`seqloom neighbors`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath, Number
from pipeline.cli.querying.words import open_words, print_answers, with_hint


def neighbors(
    model: ModelPath,
    words: Annotated[list[str], typer.Argument(metavar="WORD...", help="Words.", show_default=False)],
    k: Number = 10,
    index: Annotated[bool, typer.Option("--index", help="Search the index: faster, but approximate.")] = False,
) -> None:
    """Finds the nearest words to each word by cosine similarity; prints one JSON line per word."""
    with exits_with(USAGE):
        given, loaded = open_words(model, "neighbors", words)
        hints = loaded.hints(given)
        found = loaded.neighbors(given, k, approximate=index)
        print_answers(with_hint(answer, hints.get(answer["word"])) for answer in found)
