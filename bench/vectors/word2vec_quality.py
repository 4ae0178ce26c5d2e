"""Evaluates word vectors with gensim.

Run `python -m bench.vectors.word2vec_quality VECTORS`; prints one JSON object.
"""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.measuring.data_tables import table

PAIRS = {"wordsim353": "wordsim353.tsv", "simlex999": "simlex999.txt"}
ANALOGIES = {"questions-words": "questions-words.txt"}


@dataclasses.dataclass(frozen=True)
class Judgement:
    """Spearman's correlation or the share of solved analogies, if defined, and the number of known questions."""

    value: float | None
    known: int


def judge(path: Path) -> dict[str, Judgement]:
    """Evaluates vectors in word2vec's binary format, frequent words first, on the sets that gensim ships."""
    from gensim.models import KeyedVectors
    from gensim.test.utils import datapath

    vectors = KeyedVectors.load_word2vec_format(str(path), binary=True)
    judged = {name: _pairs(vectors, datapath(file)) for name, file in PAIRS.items()}
    for name, file in ANALOGIES.items():
        share, sections = vectors.evaluate_word_analogies(datapath(file))
        known = sum(len(sections[-1][answered]) for answered in ("correct", "incorrect"))
        judged[name] = Judgement(float(share) if known else None, known)
    return judged


def comparison(judged: Mapping[str, Sequence[Mapping[str, Judgement]]]) -> str:
    """Makes a Markdown table of the judgements of two sides, one per seed.

    A row per set has the known numbers on both sides, means with standard deviations, and the difference of the
    means; "-" if undefined.
    """
    left, right = judged.values()
    lines = [["", "known", *judged, "difference"]]
    for name in left[0]:
        known = {str(found[name].known) for found in (*left, *right)}
        values = [[found[name].value for found in side] for side in (left, right)]
        known_values = [[value for value in side if value is not None] for side in values]
        means = [statistics.mean(side) for side in known_values if side]
        difference = f"{means[0] - means[1]:+.4f}" if len(means) == 2 else "-"
        lines.append([name, " / ".join(sorted(known)), *map(_mean, known_values), difference])
    return table(lines)


def _mean(values: Sequence[float]) -> str:
    if not values:
        return "-"
    spread = f" ± {statistics.stdev(values):.4f}" if len(values) > 1 else ""
    return f"{statistics.mean(values):.4f}{spread}"


def _pairs(vectors: Any, file: str) -> Judgement:
    lines = [line.split("\t") for line in Path(file).read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    words = {word.upper() for word in vectors.index_to_key}
    known = sum(len(line) == 3 and {word.upper() for word in line[:2]} <= words for line in lines)
    # One pair has no rank correlation.
    if known < 2:
        return Judgement(None, known)
    value = float(vectors.evaluate_word_pairs(file)[1][0])
    return Judgement(None if math.isnan(value) else value, known)


if __name__ == "__main__":
    print(json.dumps({name: dataclasses.asdict(found) for name, found in judge(Path(sys.argv[1])).items()}))
