"""`seqloom predict`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.exit_codes import USAGE, exits_with
from pipeline.cli.options import ModelPath
from pipeline.cli.querying import inputs
from pipeline.console.printing import echo_json
from pipeline.runs.published import find_model
from pipeline.tasks.answers import open_answers


def predict(
    model: ModelPath,
    texts: Annotated[list[str] | None, typer.Argument(metavar="[TEXT]...", help="Texts.", show_default=False)] = None,
    input_path: Annotated[
        Path | None, typer.Option("--input", metavar="FILE", help='JSON lines: {"text": "..."} or "...".')
    ] = None,
) -> None:
    """Runs a published model on texts; prints one JSON line per text.

    Without TEXT and --input, it reads one text per line from standard input.
    """
    with exits_with(USAGE):
        path = find_model(model)
        with inputs.open_inputs(texts, input_path, "text") as given:
            for answer in answers(path, given):
                echo_json(answer)


def answers(model: Path, texts: Iterable[str]) -> Iterator[dict[str, Any]]:
    """Yields a model's answer to each text, in order.

    Args:
        model: The folder of a SavedModel.
        texts: Any number of texts; read in batches.

    Raises:
        JobError: If the model cannot be loaded or does not take texts, or from `texts`, after the earlier answers.
    """
    loaded: Callable[[Sequence[str]], list[dict[str, Any]]] | None = None
    for batch in inputs.batches(texts):
        # Loaded late, so that an invalid first line is reported without waiting for the model.
        loaded = loaded or open_answers(model, "predict")
        yield from loaded(batch)
