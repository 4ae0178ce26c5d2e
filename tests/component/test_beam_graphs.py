"""The graphs of this project's own pipelines gather only counts, events and places in files, never documents."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import apache_beam as beam
import pytest
from apache_beam.pipeline import AppliedPTransform, PipelineVisitor

from components.corpus_example_gen.settings import CorpusSettings
from components.corpus_example_gen.writing import conversion
from components.corpus_example_gen.writing.split_assignment import SplitRule
from components.sequence_transform import transform
from components.shared.beam_engine import runs_in_process
from components.shared.beam_results import WriteJson
from pipeline.runners.local_beam import LOCAL_BEAM
from trainer.data.kinds import LABELLED_TEXT
from trainer.settings import OutputSettings, TransformSettings


class Gathering(PipelineVisitor):
    """Collects the steps that make one value of a whole collection, and those that read a collection at the side."""

    def __init__(self) -> None:
        self.combined: set[str] = set()
        self.beside: set[str] = set()

    def enter_composite_transform(self, node: AppliedPTransform) -> None:
        if isinstance(node.transform, beam.CombineGlobally):
            self.combined.add(node.full_label)

    def visit_transform(self, node: AppliedPTransform) -> None:
        if node.side_inputs:
            self.beside.add(node.full_label)


def write_corpus(pipeline: beam.Pipeline) -> None:
    settings = CorpusSettings(format="jsonl", path="a.jsonl", id="id", dedupe=True)
    plan = conversion.Plan(settings, SplitRule("hash", {"train": 8}), {"train": 3}, OutputSettings())
    files = pipeline | beam.Create([(0, None, ("a.jsonl", 1, 0.0))])
    files | "Corpus" >> conversion.WriteCorpus(plan, ["a.jsonl"], conversion.Destination("a", "b", "c"))


def count(pipeline: beam.Pipeline) -> None:
    transform.count(pipeline, ["a", "b"], TransformSettings(), LABELLED_TEXT) | WriteJson("c")


def count_spans(pipeline: beam.Pipeline) -> None:
    transform.count_spans(pipeline, ["a", "b"], [0, 2], TransformSettings(), LABELLED_TEXT) | WriteJson("c")


def find_phrases(pipeline: beam.Pipeline) -> None:
    settings = TransformSettings.model_validate({"phrases": {}})
    transform.find_phrases(pipeline, ["a", "b"], settings, None) | WriteJson("c")


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (write_corpus, {"Corpus/WriteSummary": "events"}),  # Counts, one for each part and shard.
        (count, {"Sum": "counts", "WriteJson": "the sum"}),
        (count_spans, {"WriteJson": "the sum of each span"}),
        (find_phrases, {"Sum": "counts", "WriteJson": "phrases"}),
    ],
)
def test_only_counts_and_events_are_gathered(build: Callable[[beam.Pipeline], None], expected: dict[str, str]) -> None:
    pipeline, found = beam.Pipeline(), Gathering()
    build(pipeline)
    pipeline.visit(found)
    assert {label.split("/ToList")[0] for label in found.combined} == expected.keys()
    # The default of an empty list is the only input at the side.
    assert {label for label in found.beside if not label.endswith("InjectDefault")} == set()


def test_other_engines_do_the_work_whatever_its_size(tmp_path: Path) -> None:
    assert runs_in_process(LOCAL_BEAM)
    assert runs_in_process([])
    assert runs_in_process(["--runner=DirectRunner"])
    for runner in ("PrismRunner", "PortableRunner", "FlinkRunner", "SparkRunner", "DataflowRunner"):
        assert not runs_in_process([*LOCAL_BEAM, f"--runner={runner}", "--project=p"])
