"""Artifacts and documents of a run, for peers that read text.

Run `python -m bench.documents ROOT FOLDER LIMIT` to write its documents.
"""

from __future__ import annotations

import dataclasses
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from trainer.errors import JobError

SPLITS = ("train", "eval", "test")
_FIX = "name the root of a finished run; `make demo` creates one"


@dataclasses.dataclass(frozen=True)
class Split:
    """Documents as columns of equal length: texts, class names and sources."""

    texts: Sequence[str]
    labels: Sequence[str]
    sources: Sequence[str]


def newest(root: Path, component: str, output: str, split: str) -> Path:
    """Finds the artifact of a component's last run that has the split.

    Raises:
        JobError: If there is none.
    """
    folder = root.absolute() / "artifacts" / component / output
    versions = [int(path.parent.name) for path in folder.glob(f"[0-9]*/Split-{split}")]
    if not versions:
        raise JobError(
            f"The run has no {output.replace('_', ' ')} to train on.",
            where=str(folder),
            found=f"no folder */Split-{split}",
            fix=_FIX,
        )
    return folder / str(max(versions))


def metrics(root: Path) -> dict[str, dict[str, float]]:
    """Reads the metrics of a run by slice.

    Raises:
        JobError: If it has none.
    """
    path = root / "summary.json"
    try:
        found: dict[str, dict[str, float]] = json.loads(path.read_text())["metrics"]
        return found
    except (OSError, KeyError, ValueError) as error:
        raise JobError("The run has no metrics.", where=str(path), found=repr(error), fix=_FIX) from error


def raw_examples(root: Path, split: str) -> Iterator[Any]:
    """Yields the raw SequenceExamples of a split of a run, parsed."""
    import tensorflow as tf

    examples = newest(root, "CorpusExampleGen", "examples", split)
    files = sorted(str(path) for path in (examples / f"Split-{split}").glob("*.gz"))
    for record in tf.data.TFRecordDataset(files, compression_type="GZIP").as_numpy_iterator():
        yield tf.train.SequenceExample.FromString(record)


def steps(example: Any, name: str) -> list[str]:
    """Returns the texts of a feature list."""
    return [step.bytes_list.value[0].decode() for step in example.feature_lists.feature_list[name].feature]


def save(root: Path, folder: Path, limit: int = 0) -> None:
    """Writes each split of a run as `<split>.json`; a limit above 0 picks about that many, evenly spaced."""
    from trainer.data import features as f

    for split in SPLITS:
        rows = list(raw_examples(root, split))
        rows = rows[:: max(1, len(rows) // limit)] if limit else rows
        labels, sources = (
            [row.context.feature[name].bytes_list.value[0].decode() for row in rows] for name in (f.LABEL, f.SOURCE)
        )
        documents = Split([" ".join(steps(row, f.TEXT)) for row in rows], labels, sources)
        (folder / f"{split}.json").write_text(json.dumps(dataclasses.asdict(documents)))


def load(folder: Path) -> dict[str, Split]:
    """Reads the splits that `save` wrote, by name."""
    return {split: Split(**json.loads((folder / f"{split}.json").read_text())) for split in SPLITS}


if __name__ == "__main__":
    save(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
