"""Trains taggers on small corpora with the defaults, and a linear CRF on their splits; judges both on other sentences.

Run `python -m bench.small_data.small_tags`, or `make bench-small-tags`. Each corpus is a draw of a file of tagged
sentences; the sentences that it leaves over are read only to judge.
"""

from __future__ import annotations

import argparse
import importlib.resources
import json
import os
import random
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from importlib.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

from bench.documents import SPLITS, raw_examples, steps
from bench.measuring import data_tables
from bench.small_data.small_runs import publish
from bench.tagging import Sentences

_BATCH = 64
_STRENGTHS = ((0.0, 0.1), (0.0, 1.0), (0.1, 0.01), (0.1, 0.1), (0.5, 0.01))
"""Factors of L1 and L2 regularization."""
_AFFIXES = (1, 2, 3)
_AROUND = (-2, -1, 1, 2)


class JudgedTags(NamedTuple):
    """One model on unseen sentences.

    Attributes:
        span_f1: Over the spans of all types.
        token_accuracy: Share of tokens with the right tag.
        seconds: From the file to the model.
    """

    span_f1: float
    token_accuracy: float
    seconds: float


def read(file: Path | Traversable) -> list[tuple[list[str], list[str]]]:
    """Reads sentences from CoNLL columns separated by white space: the token first, the tag last."""
    blocks = file.read_text(encoding="utf-8").strip().split("\n\n")
    rows = [[line.split() for line in block.split("\n") if line.strip()] for block in blocks]
    return [([row[0] for row in sentence], [row[-1] for row in sentence]) for sentence in rows if sentence]


def draw(sentences: Sentences, size: int, seed: int) -> tuple[Sentences, Sentences]:
    """Draws a corpus of a size, and returns it with the sentences left over."""
    mixed = list(sentences)
    random.Random(f"{size} {seed}").shuffle(mixed)
    return mixed[:size], mixed[size:]


def write(drawn: Sentences, folder: Path) -> Path:
    """Writes sentences with their job, without a trainer section and without gates; returns the job's file."""
    folder.mkdir(parents=True, exist_ok=True)
    blocks = ["".join(f"{token}\t{tag}\n" for token, tag in zip(*pair, strict=True)) for pair in drawn]
    (folder / "corpus.conll").write_text("\n".join(blocks), encoding="utf-8")
    names = sorted({tag for _, tags in drawn for tag in tags})
    corpus = {"format": "conll", "path": "corpus.conll", "columns": {"token": 1, "tag": 2}, "tags": names}
    job = {"name": "small", "task": "tagger", "corpus": corpus, "transform": {"tokenizer": "whitespace"}}
    path = folder / "job.yaml"
    path.write_text(json.dumps(job), encoding="utf-8")
    return path


def judge(answers: Sequence[Sequence[str]], unseen: Sentences, seconds: float) -> JudgedTags:
    """Judges the tags of sentences with seqeval."""
    from seqeval.metrics import accuracy_score, f1_score

    given, found = [list(tags) for _, tags in unseen], [list(tags) for tags in answers]
    return JudgedTags(float(f1_score(given, found)), float(accuracy_score(given, found)), seconds)


def ours(folder: Path, drawn: Sentences, unseen: Sentences, sets: Sequence[str]) -> JudgedTags:
    """Runs the job of a corpus, and judges the published model."""
    version, seconds = publish(write(drawn, folder), sets)
    from trainer.tagger.answers import TagAnswers

    model = TagAnswers(str(version))
    batches = [unseen[first : first + _BATCH] for first in range(0, len(unseen), _BATCH)]
    answers = [one["tags"] for batch in batches for one in model.tag([tokens for tokens, _ in batch])]
    return judge(answers, unseen, seconds)


def _shape(token: str) -> str:
    """Returns the kinds of a token's characters, without repetitions: `Aa` of `Lea`."""
    kinds = ["0" if one.isdigit() else "A" if one.isupper() else "a" if one.isalpha() else one for one in token]
    return "".join(kind for kind, before in zip(kinds, ["", *kinds], strict=False) if kind != before)


def seen(tokens: Sequence[str], place: int) -> dict[str, Any]:
    """Returns the usual features of a token: the word, its affixes and shape, and the words around it."""
    token = tokens[place]
    found: dict[str, Any] = {"bias": 1.0, "word": token, "lower": token.lower(), "shape": _shape(token)}
    found |= {"title": token.istitle(), "upper": token.isupper(), "digit": token.isdigit()}
    for size in _AFFIXES:
        found |= {f"first {size}": token[:size], f"last {size}": token[-size:]}
    for step in _AROUND:
        inside = 0 <= place + step < len(tokens)
        near = tokens[place + step] if inside else "<s>" if step < 0 else "</s>"
        found[f"word {step:+}"] = near.lower()
        if inside and abs(step) == 1:
            found |= {f"shape {step:+}": _shape(near), f"title {step:+}": near.istitle()}
    return found


def linear_crf(train: Sentences, held: Sentences) -> Callable[[Sentences], list[list[str]]]:
    """Fits sklearn-crfsuite to train, with the regularization that has the best span F1 on the held-out sentences."""
    from sklearn_crfsuite import CRF

    def rows(sentences: Sentences) -> list[list[dict[str, Any]]]:
        return [[seen(tokens, place) for place in range(len(tokens))] for tokens, _ in sentences]

    features, tags = rows(train), [list(tags) for _, tags in train]
    models = []
    for c1, c2 in _STRENGTHS:
        model = CRF(algorithm="lbfgs", c1=c1, c2=c2, max_iterations=200, all_possible_transitions=True)
        model.fit(features, tags)
        models.append((judge(model.predict(rows(held)), held, 0.0), model))
    best = max(models, key=lambda one: one[0])[1]
    return lambda sentences: [list(found) for found in best.predict(rows(sentences))]


def peer(root: Path, unseen: Sentences) -> JudgedTags:
    """Fits the linear CRF to the splits of a run."""
    found = {
        split: [(steps(row, "tokens"), steps(row, "tags")) for row in raw_examples(root, split)] for split in SPLITS
    }
    start = time.perf_counter()
    model = linear_crf(found["train"], found["eval"])
    seconds = time.perf_counter() - start
    return judge(model(unseen), unseen, seconds)


def row(taken: int, pairs: Sequence[tuple[JudgedTags, JudgedTags]]) -> list[str]:
    """Makes the row of one size: means over the draws, ours beside the peer's."""
    cells = [f"{taken:,}"]
    for field, digits in (("span_f1", 4), ("token_accuracy", 4), ("seconds", 1)):
        means = [statistics.mean(getattr(side, field) for side in sides) for sides in zip(*pairs, strict=True)]
        cells += [f"{mean:.{digits}f}" for mean in means]
    for field in ("span_f1", "token_accuracy"):
        ahead = [getattr(one, field) - getattr(other, field) for one, other in pairs]
        error = statistics.stdev(ahead) / len(ahead) ** 0.5 if len(ahead) > 1 else float("nan")
        cells.append(f"{statistics.mean(ahead):+.4f} ± {error:.4f}")
    return cells


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m bench.small_data.small_tags", description=(__doc__ or "").splitlines()[0]
    )
    parser.add_argument("--corpus", type=Path, help="CoNLL columns, token first, tag last; by default Japanese names")
    parser.add_argument("--sizes", default="200,1000,99999999", help="sentences, separated by commas; all: 99999999")
    parser.add_argument("--seeds", type=int, default=5, help="draws of each size")
    parser.add_argument("--unseen", type=int, default=100, help="least number of sentences to judge on")
    parser.add_argument("--folder", type=Path, default=Path("runs/bench-small-tags"), help="for corpora and roots")
    parser.add_argument("--set", action="append", default=[], help="as in seqloom run, for comparisons")
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sentences = read(arguments.corpus or importlib.resources.files("hironsan").joinpath("corpus/iob_sents.txt"))
    header = ["sentences"]
    for field in ("span F1", "token accuracy", "seconds"):
        header += [field, f"{field}, linear CRF"]
    lines = [[*header, "span F1 ahead", "token accuracy ahead"]]
    sizes = {min(int(size), len(sentences) - arguments.unseen) for size in arguments.sizes.split(",")}
    for taken in sorted(sizes):
        pairs = []
        for seed in range(1, arguments.seeds + 1):
            drawn, unseen = draw(sentences, taken, seed)
            folder = arguments.folder.absolute() / f"{taken}-{seed}"
            own = ours(folder, drawn, unseen, arguments.set)
            pairs.append((own, peer(folder / "root", unseen)))
            print(json.dumps([taken, seed, *pairs[-1]]), file=sys.stderr, flush=True)
        lines.append(row(taken, pairs))
    print(data_tables.table(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
