"""The files of a corpus that a run has chosen stay the same when others come."""

from __future__ import annotations

from pathlib import Path

from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from components.corpus_example_gen.inputs.pinned import pin, read_pinned, resolve
from components.corpus_example_gen.settings import CorpusSettings


def names(found) -> list[str]:
    return [Path(file.path).name for _, files in found.files for file in files]


def test_a_run_keeps_its_spans(tmp_path: Path) -> None:
    for number in (1, 2, 3):
        (tmp_path / f"day-{number}.csv").write_text("text\n")
    settings = CorpusSettings(format="csv", path="day-{SPAN}.csv", rolling=2)
    patterns = [SplitPattern(ALL_SPLITS, f"{tmp_path}/day-{{SPAN}}.csv")]
    inputs = str(tmp_path / "inputs")
    assert read_pinned(inputs, "one") is None
    pin(patterns, settings, inputs, "one")
    (tmp_path / "day-4.csv").write_text("text\n")
    pinned = read_pinned(inputs, "one")
    assert pinned is not None
    assert (pinned.newest, names(pinned)) == ((3, None), ["day-2.csv", "day-3.csv"])
    assert pinned.files[0][0] == patterns[0]
    assert names(resolve(patterns, settings)) == ["day-3.csv", "day-4.csv"]
    assert read_pinned(inputs, "two") is None
