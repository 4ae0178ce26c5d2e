"""Tags the test split of a tagger's run with simple peers; prints a table of their scores and ours.

Run `python -m bench.tagging --root runs/entities`, or `make bench-tagging`.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bench.documents import metrics, raw_examples, steps
from bench.measuring import data_tables
from trainer.errors import JobError

Sentences = Sequence[tuple[Sequence[str], Sequence[str]]]
"""Tokens and their tags."""
Tagger = Callable[[Sequence[str]], list[str]]
"""Maps the tokens of a sentence to tags."""
FIGURES = ("span_f1", "span_precision", "span_recall", "token_accuracy")


def most_frequent(train: Sentences) -> Tagger:
    """Assigns each word its most frequent tag in the train split, and unknown words the most frequent tag of all."""
    by_word: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for tokens, tags in train:
        for token, tag in zip(tokens, tags, strict=True):
            by_word[token][tag] += 1
    (usual, _), *_ = sum(by_word.values(), Counter[str]()).most_common(1)
    best = {word: counts.most_common(1)[0][0] for word, counts in by_word.items()}
    return lambda tokens: [best.get(token, usual) for token in tokens]


def logistic_regression(train: Sentences) -> Tagger:
    """Predicts each tag by logistic regression on the words up to two positions away and the word's affixes."""
    from sklearn.feature_extraction import DictVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    rows = [_seen(tokens, place) for tokens, _ in train for place in range(len(tokens))]
    model = make_pipeline(DictVectorizer(), LogisticRegression(C=10, max_iter=1_000))
    model.fit(rows, [tag for _, tags in train for tag in tags])
    return lambda tokens: list(model.predict([_seen(tokens, place) for place in range(len(tokens))]))


def _seen(tokens: Sequence[str], place: int) -> dict[str, str]:
    padded = ["", "", *tokens, "", ""]
    words = {f"word{step - 2:+}": padded[place + step] for step in range(5)}
    token = tokens[place]
    return {**words, "first": token[0], "last": token[-1], "last two": token[-2:]}


PEERS: Mapping[str, Callable[[Sentences], Tagger]] = {
    "logistic regression, words up to two positions away": logistic_regression,
    "most frequent tag of each word": most_frequent,
}


def scores(tagger: Tagger, test: Sentences) -> dict[str, float]:
    """Evaluates a tagger with seqeval: the metrics of `FIGURES`."""
    from seqeval.metrics import accuracy_score, f1_score, precision_score, recall_score

    given, found = [list(tags) for _, tags in test], [tagger(tokens) for tokens, _ in test]
    judges = (f1_score, precision_score, recall_score, accuracy_score)
    return {name: float(judge(given, found)) for name, judge in zip(FIGURES, judges, strict=True)}


def table(rows: Mapping[str, Mapping[str, float]]) -> str:
    """Makes a Markdown table."""
    cells = [[name, *(f"{values[figure]:.4f}" for figure in FIGURES)] for name, values in rows.items()]
    return data_tables.table([["model", *FIGURES], *cells])


def main() -> int:
    """Runs the command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m bench.tagging", description="Evaluates peers on a run's splits.")
    parser.add_argument("--root", type=Path, default=Path("runs/entities"), help="root of the run")
    root: Path = parser.parse_args().root
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from trainer.data import features as f

    try:
        train, test = (
            [(steps(row, f.TOKENS), steps(row, f.TAGS)) for row in raw_examples(root, split)]
            for split in ("train", "test")
        )
        rows = {"seqloom": metrics(root)["overall"]}
    except JobError as error:
        print(error, file=sys.stderr)
        return 1
    for name, peer in PEERS.items():
        rows[name] = scores(peer(train), test)
    print(table(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
