"""Statistics of a small corpus, in memory, are those of TFX's StatisticsGen."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2
from tfx.components import StatisticsGen as Stock

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.stock import executor
from components.stock.component import StatisticsGen
from pipeline.config.locations import resolve_corpus_path
from tests.component.corpus_job import run_components

ROWS = "".join(
    f'"Film {n} of {n % 7}",{"good" if n % 3 else "bad"},{"web" if n % 2 else "print"}\n' for n in range(2_100)
)
WORDS = "".join(f"Word{n % 9}\tO\nin\tO\nRome{n}\tB-LOC\n\n" for n in range(60))
CORPORA = {
    "csv": ("text,label,source\n" + ROWS, {"text": "text", "label": "label", "source": "source"}),
    "conll": (WORDS, {"columns": {"token": 1, "tag": 2}}),
}


def features(folder: Path, split: str) -> tuple[float, dict[tuple[str, ...], str]]:
    """The number of documents, and the statistics by feature as text."""
    content = (folder / f"Split-{split}" / "FeatureStats.pb").read_bytes()
    (dataset,) = statistics_pb2.DatasetFeatureStatisticsList.FromString(content).datasets
    return dataset.num_examples, {tuple(feature.path.step): str(feature) for feature in dataset.features}


@pytest.mark.parametrize("kind", CORPORA)
def test_both_ways_find_the_same_statistics(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    content, columns = CORPORA[kind]
    (tmp_path / f"corpus.{kind}").write_text(content)

    def run(*makers: Callable[[Any], Any]) -> list[Path]:
        """Runs components on the examples of the corpus; returns the folders of their statistics."""
        examples = CorpusExampleGen(
            corpus=resolve_corpus_path(f"corpus.{kind}", tmp_path),
            settings=CorpusSettings.model_validate({"format": kind, "path": f"corpus.{kind}", **columns}),
            splits=SplitSettings.model_validate({"train": 4, "eval": 1, "test": 1}),
            code="1",
            quarantine_dir=str(tmp_path / "quarantine"),
            inputs_dir=str(tmp_path / "inputs"),
        )
        made = [make(examples.outputs["examples"]).with_id(f"Made{n}") for n, make in enumerate(makers)]
        found = run_components(tmp_path / "runs", [examples, *made])
        return [Path(found[component.id].outputs["statistics"].uri) for component in made]

    small, stock = run(
        lambda examples: StatisticsGen(examples=examples, code="1"), lambda examples: Stock(examples=examples)
    )
    monkeypatch.setattr(executor, "SMALL", 0)
    (large,) = run(lambda examples: StatisticsGen(examples=examples, code="2"))
    for split in ("train", "eval", "test"):
        expected = features(stock, split)
        assert expected[0] > 0
        assert features(small, split) == features(large, split) == expected
