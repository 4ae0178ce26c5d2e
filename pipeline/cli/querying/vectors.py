"""`seqloom vectors`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath
from pipeline.cli.querying import inputs
from pipeline.cli.querying.records import open_queries
from pipeline.cli.querying.words import print_answers, with_hint
from pipeline.runs.published import find_model
from pipeline.tasks.answers import open_answers

_INPUT_HELP = (
    "A file of words, compressed or not: JSON lines such as"
    ' {"word": "...", "id": 1} or "...", or by its suffix .csv, .tsv, .json, .parquet or .txt.'
)


def vectors(
    model: ModelPath,
    words: Annotated[list[str] | None, typer.Argument(metavar="[WORD]...", help="Words.", show_default=False)] = None,
    input_path: Annotated[Path | None, typer.Option("--input", metavar="FILE", help=_INPUT_HELP)] = None,
) -> None:
    """Prints the vector of each word, one JSON line per word.

    Without WORD and --input, it reads one word per line from standard input.

    Exit codes: 0 all words are answered; 1 some records cannot be read, which stderr lists; 2 no further answer.
    """
    with inputs.reports_bad() as good, exits_with(USAGE):
        path = find_model(model)
        with open_queries("word", words, input_path) as given:
            loaded: Any = None
            for batch in inputs.batches(good(given)):
                # Loaded late, so that an invalid first line is reported without waiting for the model.
                loaded = loaded or open_answers(path, "vectors")
                asked = [query.text for query in batch]
                # Hints take longer than the vectors, so only words that a person typed get them.
                hints = loaded.hints(asked) if words else {}
                print_answers(
                    query.with_id(with_hint(answer, hints.get(query.text)))
                    for query, answer in zip(batch, loaded.vectors(asked), strict=True)
                )
