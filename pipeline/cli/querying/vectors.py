"""`seqloom vectors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath
from pipeline.cli.querying import inputs
from pipeline.cli.querying.words import print_answers, with_hint
from pipeline.runs.published import find_model
from pipeline.tasks.answers import open_answers


def vectors(
    model: ModelPath,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Words.", show_default=False)] = None,
    input_path: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help='JSON lines: {"word": "..."} or "...".')
    ] = None,
) -> None:
    """Prints the vector of each word, one JSON line per word.

    Without WORD and --input, it reads one word per line from standard input.
    """
    with exits_with(USAGE):
        path = find_model(model)
        with inputs.open_inputs(words, input_path, "word") as given:
            loaded: Any = None
            for batch in inputs.batches(given):
                # Loaded late, so that an invalid first line is reported without waiting for the model.
                loaded = loaded or open_answers(path, "vectors")
                # Hints take longer than the vectors, so only words that a person typed get them.
                hints = loaded.hints(batch) if words else {}
                print_answers(with_hint(answer, hints.get(answer["word"])) for answer in loaded.vectors(batch))
