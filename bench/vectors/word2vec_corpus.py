"""The corpus of the word-vector benchmark: transformed examples of a run, once or repeated, and the same as text.

Run `python -m bench.vectors.word2vec_corpus EXAMPLES GRAPH SENTENCES` to write the text; prints one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import sys
from pathlib import Path

from bench.datasets import data_corpus
from bench.documents import newest
from bench.measuring.data_process import run_python

TRAIN = "Split-train"
"""The folder of the train split."""

_MIN_COUNT, _MAX_SIZE = 5, 1_000_000
_RESERVED = 4
_UNKNOWN = "<unk>"
_BATCH = 256


@dataclasses.dataclass(frozen=True)
class Transformed:
    """Folders of the transformed examples, and of the transform graph with `vocabulary.txt` and `counts.txt`."""

    examples: str
    graph: str


@dataclasses.dataclass(frozen=True)
class Corpus(Transformed):
    """Transformed examples, and a file with a document of the train split per line, words separated by one space."""

    sentences: str
    documents: int
    tokens: int


def find(root: Path) -> Transformed:
    """Finds the transformed examples of the last run of SequenceTransform.

    Raises:
        JobError: If there are none.
    """
    examples = newest(root, "SequenceTransform", "transformed_examples", "train")
    return Transformed(str(examples), str(examples.parents[1] / "transform_graph" / examples.name))


def make(folder: Path, documents: int) -> Transformed:
    """Transforms film reviews in a new folder, without truncation, with all words that occur often enough.

    Raises:
        JobError: If the reviews are not installed, or the run fails.
    """
    folder.mkdir()
    reviews = data_corpus.write(folder / "reviews.csv", documents)
    job = {
        "name": "bench-word2vec",
        "task": "dataset",
        "corpus": {"format": "csv", "path": str(reviews.path), "id": "id", "text": "text", "source": "source"},
        "splits": {"train": 19, "eval": 1},
        "transform": {"min_count": _MIN_COUNT, "max_size": _MAX_SIZE},
    }
    config, root = folder / "job.yaml", folder / "run"
    # JSON is YAML.
    config.write_text(json.dumps(job))
    run_python(["-m", "pipeline.cli", "run", str(config), "--root", str(root)], folder / "run.log")
    return find(root)


def repeat(corpus: Corpus, folder: Path, times: int) -> Corpus:
    """Repeats the documents and counts of a corpus in a new folder of symbolic links; its text is unchanged."""
    examples, graph = folder / "examples", folder / "graph"
    for split in Path(corpus.examples).glob("Split-*"):
        (examples / split.name).mkdir(parents=True)
        for file in split.iterdir():
            for copy in range(times if split.name == TRAIN else 1):
                (examples / split.name / f"{copy:03d}-{file.name}").symlink_to(file)
    shutil.copytree(corpus.graph, graph)
    counts = graph / "counts.txt"
    counts.write_text("".join(f"{int(count) * times}\n" for count in counts.read_text().split()))
    return Corpus(str(examples), str(graph), corpus.sentences, corpus.documents * times, corpus.tokens * times)


def vocabulary(graph: str) -> dict[str, int]:
    """Reads the words with vectors and their counts, in the order of their ids."""
    # A word may be a character that Python treats as a line break.
    words = Path(graph, "vocabulary.txt").read_bytes().decode().split("\n")[_RESERVED:-1]
    counts = Path(graph, "counts.txt").read_text().split()[_RESERVED:]
    return {word: int(count) for word, count in zip(words, counts, strict=True)}


def as_text(transformed: Transformed, path: Path) -> Corpus:
    """Writes the train split as text, in its own process, so that this one stays smaller than those it measures."""
    arguments = ["-m", "bench.vectors.word2vec_corpus", transformed.examples, transformed.graph, str(path)]
    counted = json.loads(run_python(arguments, path.with_suffix(".log")).output)
    return Corpus(transformed.examples, transformed.graph, str(path), **counted)


def _write(transformed: Transformed, path: Path) -> dict[str, int]:
    import numpy as np

    from trainer.data import features, parsing, tfrecords

    files = tfrecords.find(str(Path(transformed.examples, TRAIN)))
    known = np.array([*features.RESERVED_WORDS, *vocabulary(transformed.graph), _UNKNOWN], object)
    documents = tokens = 0
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for serialized in tfrecords.stream(files).batch(_BATCH):
            ids = parsing.tokens(serialized)
            # Ids after the vocabulary are buckets of unknown words.
            texts = known[np.minimum(ids.values.numpy(), len(known) - 1)]
            for document in np.split(texts, ids.row_splits.numpy()[1:-1]):
                file.write(" ".join(document) + "\n")
                documents, tokens = documents + 1, tokens + len(document)
    return {"documents": documents, "tokens": tokens}


if __name__ == "__main__":
    print(json.dumps(_write(Transformed(*sys.argv[1:3]), Path(sys.argv[3]))))
