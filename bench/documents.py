"""The documents of a run's splits, for peers that read text."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from trainer.errors import JobError

SPLITS = ("train", "eval", "test")


@dataclasses.dataclass(frozen=True)
class Split:
    """Documents as columns of equal length: texts, class names and sources."""

    texts: Sequence[str]
    labels: Sequence[str]
    sources: Sequence[str]


def newest_examples(root: Path) -> Path:
    """Finds the raw examples of the last run of CorpusExampleGen.

    Args:
        root: The root of the run.

    Returns:
        The folder of the artifact.

    Raises:
        JobError: If there are none.
    """
    folder = root / "artifacts" / "CorpusExampleGen" / "examples"
    versions = [path for path in folder.glob("*") if path.name.isdecimal() and (path / "Split-test").is_dir()]
    if not versions:
        raise JobError("The run has no raw examples to train on.", where=str(folder), fix="run make demo first")
    return max(versions, key=lambda path: int(path.name))


def read_examples(examples: Path, split: str) -> Iterator[tuple[str, str, str]]:
    """Reads raw SequenceExamples.

    Args:
        examples: Folder of the artifact.
        split: Name of the split.

    Yields:
        Text (segments joined by spaces), class name and source of each document.
    """
    # The peers' own processes read what `save` wrote, so that TensorFlow does not count as their memory.
    import tensorflow as tf

    from trainer.data import features

    files = sorted(str(path) for path in (examples / f"Split-{split}").glob("*.gz"))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        example = tf.train.SequenceExample.FromString(record)
        context = example.context.feature
        steps = example.feature_lists.feature_list[features.TEXT].feature
        yield (
            b" ".join(step.bytes_list.value[0] for step in steps).decode(),
            context[features.LABEL].bytes_list.value[0].decode(),
            context[features.SOURCE].bytes_list.value[0].decode(),
        )


def save(examples: Path, folder: Path, limit: int | None = None) -> None:
    """Writes each split as `<split>.json`; a limit picks about that many documents evenly."""
    for split in SPLITS:
        rows = list(read_examples(examples, split))
        rows = rows[:: max(1, len(rows) // limit)] if limit else rows
        texts, labels, sources = (list(column) for column in zip(*rows, strict=True))
        (folder / f"{split}.json").write_text(json.dumps({"texts": texts, "labels": labels, "sources": sources}))


def load(folder: Path) -> dict[str, Split]:
    """Reads the splits that `save` wrote, by name."""
    return {split: Split(**json.loads((folder / f"{split}.json").read_text())) for split in SPLITS}
