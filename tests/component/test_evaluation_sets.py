"""EvaluationSets in the job's own pipeline and TFX's Evaluator behind it, under the local runner."""

import itertools
import json
import random
from pathlib import Path
from typing import Any

import gensim.models
import numpy as np
import pytest
import tensorflow as tf
from tfx.components import Evaluator
from tfx.dsl.components.common.importer import Importer
from tfx.types import standard_artifacts

from components.evaluation_sets.executor import EvaluationSetsExecutor
from components.evaluator.results import Metrics, read_metrics
from pipeline.dag import gates, lineage, verdict
from pipeline.runners import local
from pipeline.runs.prepare import prepare
from pipeline.tasks import loading
from pipeline.tasks.word2vec import Word2vecJob
from tests.component.corpus_job import States, context, read_records, run_components, steps
from trainer.errors import JobError
from trainer.settings import TransformSettings
from trainer.word2vec.servable import WordVectorsServable
from trainer.word2vec.settings import Word2vecSettings

WORDS = ("film", "plot", "actor", "scene", "music", "story", "hero", "joke")
YAML = """\
name: vectors
task: word2vec
corpus: {format: jsonl, path: data.jsonl}
transform: {min_count: 1}
evaluation: {pairs: {ws: ws.tsv, rare: rare.txt, every: every.csv}, analogies: {qs: qs.txt}, min_coverage: 0.5}
gates: {spearman: {min: 0}}
"""
EVERY = [f"{one},{other},{n % 9 / 2}" for n, (one, other) in enumerate(itertools.combinations(WORDS, 2))]


class Job:
    """A job of task word2vec in its own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs, self.states = 0, States()
        choose = random.Random(1).choices
        texts = [f"{' '.join(choose(WORDS, k=9))}. {number}" for number in range(120)]
        (folder / "data.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
        (folder / "ws.tsv").write_text("# words\nFilm\tplot\t7.5\nactor\tscene\t3\nfilm\tzebra\t0.5\n")
        (folder / "rare.txt").write_text("zebra yak 9\nfilm yak 1\nfilm joke 2\n")
        (folder / "every.csv").write_text("first,second,human\n" + "\n".join(EVERY))
        (folder / "qs.txt").write_text(": first\nfilm plot actor Scene\n: second\nhero joke yak plot\n")
        (folder / "job.yaml").write_text(YAML)

    def run(self) -> None:
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        self.runs += 1
        prepared = prepare(loading.load(self.folder / "job.yaml"), root, str(self.runs), until="EvaluationSets")
        local.run(prepared, self.states)

    def executions(self) -> dict[str, lineage.Execution]:
        metadata = lineage.sqlite(str(self.folder / "root" / "metadata.sqlite"))
        return lineage.read_run(metadata, "vectors", str(self.runs))

    def output(self) -> lineage.Output:
        return self.executions()["EvaluationSets"].outputs["evaluation_examples"]

    def shard(self) -> Path:
        (path,) = Path(self.output().uri).glob("Split-*/*")
        return path

    def records(self) -> list[dict[str, Any]]:
        return read(self.shard().parent)

    def vocabulary(self) -> list[str]:
        graph = self.executions()["SequenceTransform"].outputs["transform_graph"].uri
        return Path(graph, "vocabulary.txt").read_text().split("\n")[4:-1]

    def held_out(self) -> list[tuple[str, str]]:
        """Ids and texts of the raw eval split, in its order."""
        uri = self.executions()["CorpusExampleGen"].outputs["examples"].uri
        return [(record["id"], *record["text"]) for record in read(Path(uri, "Split-eval"))]


def read(folder: Path) -> list[dict[str, Any]]:
    """The records of a folder as plain values."""
    return [
        {name: context(example, name) for name in example.context.feature}
        | {name: steps(example, name) for name in example.feature_lists.feature_list}
        for example in read_records(folder)
    ]


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = Job(tmp_path_factory.mktemp("done"))
    job.run()
    return job


def test_the_artifact_has_the_questions_the_documents_and_the_coverage_of_each_set(done: Job) -> None:
    records, properties = done.records(), done.output().properties
    questions, documents = records[:36], records[36:]
    assert [record["source"] for record in questions] == ["ws"] * 3 + ["rare"] * 3 + ["every"] * 28 + ["qs"] * 2
    names = ("id", "task", "section", "score", "gates")
    assert [tuple(one[name] for name in names) for one in questions if one["source"] != "every"] == [
        *(("ws:2", "similarity", "ws", 7.5, 1), ("ws:3", "similarity", "ws", 3.0, 1)),
        *(("ws:4", "similarity", "ws", 0.5, 1), ("rare:1", "similarity", "rare", 9.0, 0)),
        *(("rare:2", "similarity", "rare", 1.0, 0), ("rare:3", "similarity", "rare", 2.0, 0)),
        *(("qs:2", "analogy", "first", 0.0, 1), ("qs:4", "analogy", "second", 0.0, 1)),
    ]
    assert (questions[0]["tokens"], questions[-2]["tokens"]) == (["Film", "plot"], ["film", "plot", "actor", "Scene"])
    assert [(record["id"], *record["text"]) for record in documents] == done.held_out()
    names = ("task", "source", "section", "gates")
    assert {tuple(one[name] for name in names) for one in documents} == {("documents", "eval", "eval", 1)}
    assert len(documents) > 3
    assert json.loads(properties["coverage"]) == {
        "ws": {"asked": 3, "known": 2, "share": pytest.approx(2 / 3), "gates": True},
        "rare": {"asked": 3, "known": 1, "share": pytest.approx(1 / 3), "gates": False},
        "every": {"asked": 28, "known": 28, "share": 1.0, "gates": True},
        "qs": {"asked": 2, "known": 1, "share": 0.5, "gates": True},
    }
    assert json.loads(properties["split_documents"]) == {"test": len(records)}
    assert properties["payload_format"] == "FORMAT_TF_SEQUENCE_EXAMPLE"
    assert done.shard().relative_to(done.output().uri) == Path("Split-test", "data_tfrecord-00000-of-00001.gz")


def test_a_fresh_run_elsewhere_writes_the_same_bytes_and_an_edited_set_is_read_again(done: Job, tmp_path: Path) -> None:
    again = Job(tmp_path)
    again.run()
    assert again.shard().read_bytes() == done.shard().read_bytes()
    again.run()
    assert again.states["EvaluationSets"] == "cached"
    (tmp_path / "ws.tsv").write_text("film joke 1\n")
    again.run()
    assert again.states["EvaluationSets"] == "done"
    assert again.states["SequenceTransform"] == "cached"
    assert [record["id"] for record in again.records() if record["source"] == "ws"] == ["ws:1"]


def test_documents_that_are_lost_are_an_error(done: Job, tmp_path: Path) -> None:
    examples, graph = standard_artifacts.Examples, standard_artifacts.TransformGraph()
    raw, output = examples(), examples()
    raw.uri = done.executions()["CorpusExampleGen"].outputs["examples"].uri
    raw.set_string_custom_property("split_documents", json.dumps({"eval": len(done.held_out()) + 1}))
    graph.uri = done.executions()["SequenceTransform"].outputs["transform_graph"].uri
    output.uri = str(tmp_path)
    with pytest.raises(JobError, match="lost or duplicated") as caught:
        EvaluationSetsExecutor().Do(
            {"examples": [raw], "transform_graph": [graph]}, {"evaluation_examples": [output]}, {"settings": "{}"}
        )
    assert caught.value.found == f"{len(done.held_out())} documents"


def held_out(tokens: tf.RaggedTensor) -> tuple[tf.Tensor, tf.Tensor]:
    """A loss of 2 for each of as many pairs as a document has words."""
    pairs = tf.cast(tokens.row_lengths(), tf.float32)
    return 2 * pairs, pairs


def publish(job: Job, directory: Path, vectors: np.ndarray[Any, Any]) -> None:
    """Writes a model of the vocabulary as the Trainer would."""
    graph = job.executions()["SequenceTransform"].outputs["transform_graph"].uri
    words = job.vocabulary()
    settings, transform = Word2vecSettings(), TransformSettings(min_count=1)
    model = WordVectorsServable(
        words, vectors, None, [1] * len(words), settings, f"{graph}/transform_fn", transform, held_out
    )
    model.save(str(directory / "Format-Serving"))


def judge(
    job: Job, folder: Path, limits: dict[str, Any], *models: Path
) -> tuple[Metrics, bool, list[tuple[bool, str]]]:
    """Runs TFX's Evaluator on a candidate, and perhaps a baseline: metrics, whether it blesses, and the sentences."""
    values = loading.load(job.folder / "job.yaml").model_dump(by_alias=True)
    gated = Word2vecJob.model_validate({**values, "gates": limits})
    output = job.output()
    examples = Importer(
        source_uri=output.uri,
        artifact_type=standard_artifacts.Examples,
        properties={"split_names": '["test"]'},
        custom_properties={name: output.properties[name] for name in ("payload_format", "file_format")},
    ).with_id("Examples")
    imported = [
        Importer(source_uri=str(path), artifact_type=standard_artifacts.Model).with_id(path.name) for path in models
    ]
    candidate, *baseline = [node.outputs["result"] for node in imported]
    evaluator = Evaluator(
        examples=examples.outputs["result"],
        example_splits=["test"],
        model=candidate,
        baseline_model=baseline[0] if baseline else None,
        eval_config=gates.eval_config(gated, "1"),
    )
    outputs = run_components(folder, [examples, *imported, evaluator])["Evaluator"].outputs
    names = ("candidate", "baseline") if baseline else (None, None)
    candidate_metrics, before = (read_metrics(outputs["evaluation"].uri, name) for name in names)
    coverages = json.loads(output.properties["coverage"])
    uncovered = {name: known["share"] for name, known in coverages.items() if not known["gates"]}
    judged = list(verdict.judge(gated, candidate_metrics, before if baseline else None, uncovered))
    blessed = Path(outputs["blessing"].uri, "BLESSED").exists()
    return verdict.visible(gated, candidate_metrics), blessed, judged


def test_the_evaluator_agrees_with_gensim_and_gates_by_it(done: Job, tmp_path: Path) -> None:
    words = done.vocabulary()
    good, other = np.random.default_rng(1).normal(size=[2, len(words), 6]).astype(np.float32)
    publish(done, tmp_path / "good", good)
    publish(done, tmp_path / "other", other)
    expected = {}
    for name, vectors in (("good", good), ("other", other)):
        reference = gensim.models.KeyedVectors(6)
        reference.add_vectors(words, vectors)
        found = [
            reference.evaluate_word_pairs(str(done.folder / file), delimiter=sign)[1].statistic
            for file, sign in (("ws.tsv", "\t"), ("every.csv", ","))
        ]
        expected[name] = dict(zip(("ws", "every"), found, strict=True))
    mean = {name: np.mean(list(values.values())) for name, values in expected.items()}

    limits = {"spearman": {"min": mean["good"] - 0.01, "slices": {"every": {"min": 0.99}}}, "loss": {"max": 2}}
    metrics, blessed, judged = judge(done, tmp_path / "first", limits, tmp_path / "good")
    for name, value in expected["good"].items():
        assert metrics[f"source={name}"]["spearman"] == pytest.approx(value)
    assert metrics["overall"]["spearman"] == pytest.approx(mean["good"])
    assert metrics["overall"]["loss"] == metrics["source=eval"]["loss"] == 2
    assert metrics["overall"]["coverage"] == (2 + 1 + 28 + 1) / 36
    assert metrics["overall"]["documents"] == len(done.records())
    assert metrics["source=qs,section=first"]["coverage"] == 1
    assert metrics["source=qs,section=second"] == {"coverage": 0, "documents": 1}
    assert not blessed
    assert [(met, sentence.partition(" is ")[0]) for met, sentence in judged[1:]] == [
        (True, "spearman over ws, every"),
        (False, "spearman on source=every"),
        (True, "loss"),
    ]
    assert judged[0][0]
    assert "0.33 of rare" in judged[0][1]

    drop = mean["other"] - mean["good"]
    limits = {"spearman": {"max_drop": max(drop, 0) + 0.01}, "loss": {"max_rise": 0}}
    metrics, blessed, judged = judge(done, tmp_path / "second", limits, tmp_path / "good", tmp_path / "other")
    assert blessed
    assert all(met for met, _ in judged)
    assert f"the last blessed model's {mean['other']:.4f}" in " ".join(sentence for _, sentence in judged)

    # Too little of the set that a gate names is covered.
    limits = {"spearman": {"min": -1, "slices": {"rare": {"min": -1}}}}
    _, blessed, judged = judge(done, tmp_path / "third", limits, tmp_path / "good")
    assert not blessed
    assert [sentence for met, sentence in judged if not met] == [
        "spearman on source=rare cannot be measured: " + judged[0][1].partition(":")[0]
    ]
    assert metrics["overall"]["spearman"] == pytest.approx(mean["good"])
