"""`seqloom analogy`."""

from __future__ import annotations

from typing import Annotated

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath, Number
from pipeline.cli.querying.words import open_words, print_answers, with_hint


def analogy(
    model: ModelPath,
    a: Annotated[str, typer.Argument(metavar="A", help="A word, for example man.", show_default=False)],
    b: Annotated[str, typer.Argument(metavar="B", help="A word, for example king.", show_default=False)],
    c: Annotated[str, typer.Argument(metavar="C", help="A word, for example woman.", show_default=False)],
    k: Number = 10,
) -> None:
    """Completes the analogy "A is to B as C is to ..."; prints one JSON line."""
    with exits_with(USAGE):
        given, loaded = open_words(model, "analogy", [a, b, c])
        print_answers([with_hint(loaded.analogy(a, b, c, k), loaded.hints(given))])
