"""`seqloom predict`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath, Overrides
from pipeline.cli.querying import inputs
from pipeline.cli.querying.inputs import Query
from pipeline.cli.querying.records import open_queries
from pipeline.console.printing import echo_json
from pipeline.runs.published import find_model
from pipeline.tasks.answers import open_answers

_INPUT_HELP = (
    "A file of texts, compressed or not: JSON lines such as"
    ' {"text": "...", "id": 1} or "...", or by its suffix .csv, .tsv, .json, .parquet, .txt, .conll or .conllu.'
)
_EXPLAIN_HELP = "Add the words that moved each answer; a model without attention is asked once more for each word."
_CONFIG_HELP = "A job's YAML, whose corpus section says how to read --input: its format and columns."


def predict(
    model: ModelPath,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts.", show_default=False)] = None,
    input_path: Annotated[Path | None, typer.Option("--input", metavar="FILE", help=_INPUT_HELP)] = None,
    config: Annotated[Path | None, typer.Option("--config", metavar="YAML", help=_CONFIG_HELP)] = None,
    overrides: Overrides = None,
    explain: Annotated[bool, typer.Option("--explain", help=_EXPLAIN_HELP)] = False,
) -> None:
    """Runs a published model on texts; prints one JSON line per text.

    Without TEXT and --input, it reads one text per line from standard input.

    Exit codes: 0 all texts are answered; 1 some records cannot be read, which stderr lists; 2 no further answer.
    """
    with inputs.reports_bad() as good, exits_with(USAGE):
        path = find_model(model)
        with open_queries("text", texts, input_path, config, overrides or ()) as given:
            for answer in answers(path, good(given), explain=explain):
                echo_json(answer)


def answers(model: Path, queries: Iterable[Query], *, explain: bool = False) -> Iterator[dict[str, Any]]:
    """Yields a model's answer to each query, in order.

    Args:
        model: The folder of a SavedModel.
        queries: Any number of queries; read in batches.
        explain: Whether to add the words that moved each answer.

    Raises:
        JobError: If the model cannot be loaded, does not take texts or cannot explain its answers, or from `queries`,
            after the earlier answers.
    """
    loaded: Any = None
    for batch in inputs.batches(queries):
        # Loaded late, so that an invalid first line is reported without waiting for the model.
        loaded = loaded or open_answers(model, "predict --explain" if explain else "predict")
        for query, answer in zip(batch, _ask(loaded, batch), strict=True):
            yield query.with_id(answer)


def _ask(loaded: Any, batch: Sequence[Query]) -> list[dict[str, Any]]:
    # A file has either texts or tokens; a model without tags takes the tokens as text.
    takes_tokens = batch[0].tokens and hasattr(loaded, "tag")
    found: list[dict[str, Any]] = (
        loaded.tag([query.tokens for query in batch]) if takes_tokens else loaded([query.text for query in batch])
    )
    return found
