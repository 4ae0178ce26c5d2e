"""SequenceTransform behind CorpusExampleGen, under the real LocalDagRunner with ML Metadata in SQLite."""

import dataclasses
import itertools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tensorflow as tf
import tensorflow_transform as tft

from components.corpus_example_gen.settings import SplitSettings
from tests.component.corpus_job import context, read_records, steps, store, text
from trainer.errors import JobError

SPLITS = ("train", "eval", "test")
DOCUMENTS = [(f"Film {n} was {'not ' * (n % 7)}good", ("dull", "fine", "bright")[n % 3]) for n in range(200)]


@dataclasses.dataclass(frozen=True)
class Job:
    """A pipeline of the two components in its own folder."""

    folder: Path
    run_transform: Callable[..., None]

    def run(self, **options: Any) -> None:
        self.folder.mkdir(exist_ok=True)
        corpus = self.folder / "data.jsonl"
        if not corpus.exists():
            corpus.write_text("\n".join(json.dumps({"text": text, "label": label}) for text, label in DOCUMENTS))
        settings = {"format": "jsonl", "path": "data.jsonl", "label": "label"}
        transform = {"min_count": 2, "truncate": {"to": 8, "keep": "head"}}
        self.run_transform(self.folder, settings, transform, splits=SplitSettings(), **options)

    def artifact(self, name: str) -> Path:
        """The newest artifact of an output channel."""
        folders = self.folder.glob(f"root/*/{name}/*")
        return max(folders, key=lambda folder: int(folder.name))


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory, run_transform: Callable[..., None]) -> Job:
    job = Job(tmp_path_factory.mktemp("transform"), run_transform)
    job.run()
    return job


def read(examples: Path, split: str) -> list[tf.train.SequenceExample]:
    return read_records(examples / f"Split-{split}")


def lines(job: Job, name: str) -> list[str]:
    return (job.artifact("transform_graph") / name).read_text().splitlines()


def test_every_document_is_written_as_ids_in_its_split_and_order(done: Job) -> None:
    vocabulary, labels = lines(done, "vocabulary.txt"), lines(done, "labels.txt")
    assert vocabulary[:4] == ["<pad>", "<unk>", "<bos>", "<eos>"]
    assert labels == ["bright", "dull", "fine"]
    raw = {split: read(done.artifact("examples"), split) for split in SPLITS}
    assert sum(len(examples) for examples in raw.values()) == len(DOCUMENTS)
    ids = {word: number for number, word in enumerate(vocabulary)}
    for split in SPLITS:
        after = read(done.artifact("transformed_examples"), split)
        assert [context(example, "id") for example in after] == [context(example, "id") for example in raw[split]]
        words = [text(example).lower().split()[:8] for example in raw[split]]
        assert [steps(example, "tokens") for example in after] == [[ids.get(w, 1) for w in row] for row in words]
        assert [context(example, "length") for example in after] == [len(steps(example, "tokens")) for example in after]
        assert [labels[context(example, "label")] for example in after] == [context(one, "label") for one in raw[split]]


def test_the_graph_has_the_layout_of_stock_transform(done: Job) -> None:
    output = tft.TFTransformOutput(str(done.artifact("transform_graph")))
    assert set(output.transformed_feature_spec()) == {"id", "source", "label", "length", "tokens"}
    assert output.transform_savedmodel_dir.endswith("transform_fn")
    raw = {
        **{name: tf.constant([value]) for name, value in {"id": "a", "source": "b", "label": "fine"}.items()},
        "text": tf.ragged.constant([[["Film was good"]]], ragged_rank=2),
    }
    made = output.transform_features_layer()(raw)
    vocabulary = lines(done, "vocabulary.txt")
    assert made["tokens"].to_list() == [[vocabulary.index(word) for word in ("film", "was", "good")]]
    assert (made["label"].numpy().tolist(), made["length"].numpy().tolist()) == ([2], [3])


def test_the_artifact_has_its_format_and_the_summary_its_counts(done: Job) -> None:
    transformed = done.artifact("transformed_examples")
    (artifact,) = store(done.folder).get_artifacts_by_uri(str(transformed))
    values = itertools.chain(artifact.properties.items(), artifact.custom_properties.items())
    properties = {name: value.string_value for name, value in values}
    assert properties["payload_format"] == "FORMAT_TF_SEQUENCE_EXAMPLE"
    assert properties["file_format"] == "tfrecords_gzip"
    assert json.loads(properties["split_names"]) == list(SPLITS)
    summary = json.loads((done.artifact("transform_graph") / "summary.json").read_text())
    for split in SPLITS:
        ids = [steps(example, "tokens") for example in read(transformed, split)]
        flat = [number for document in ids for number in document]
        coverage = pytest.approx(sum(number != 1 for number in flat) / len(flat))
        size = sum(path.stat().st_size for path in (transformed / f"Split-{split}").iterdir())
        expected = {"split": split, "documents": len(ids), "tokens": len(flat), "empty": 0, "left_out": 0}
        expected |= {"coverage": coverage, "bytes": size}
        tested_elsewhere = {"length", "padding", "shards", "sha256"}  # Compared with references in the unit tests.
        assert {key: value for key, value in summary[split].items() if key not in tested_elsewhere} == expected
        assert json.loads((transformed / f"{split}.dataset.json").read_text()) == summary[split]


def test_a_fresh_run_elsewhere_writes_the_same_bytes_and_clears_partial_files(done: Job, tmp_path: Path) -> None:
    again = Job(tmp_path / "again", done.run_transform)
    for name in ("examples", "transformed_examples"):
        folder = again.folder / done.artifact(name).relative_to(done.folder)
        folder.mkdir(parents=True)
        (folder / "partial-of-a-killed-attempt").touch()
    again.run()
    for name in ("examples", "transformed_examples"):
        one, other = done.artifact(name), again.artifact(name)
        files = sorted(path.relative_to(one) for path in one.rglob("*") if path.is_file())
        assert files == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
        described = [f"{split}.dataset.json" for split in SPLITS] if name == "transformed_examples" else []
        shards = [f"Split-{split}/data_tfrecord-00000-of-00001.gz" for split in SPLITS]
        assert sorted(map(str, files)) == sorted([*described, *shards])
        assert all((one / path).read_bytes() == (other / path).read_bytes() for path in files)
    for name in ("vocabulary.txt", "counts.txt", "labels.txt", "summary.json"):
        graphs = (done.artifact("transform_graph"), again.artifact("transform_graph"))
        assert len({(graph / name).read_bytes() for graph in graphs}) == 1


def test_unknown_classes_and_lost_documents_are_errors(tmp_path: Path, run_transform: Callable[..., None]) -> None:
    job = Job(tmp_path / "job", run_transform)
    with pytest.raises(JobError) as unknown:
        job.run(labels=["dull", "fine"])
    for part in ("A label of the", "split is not among the classes", "'bright' on", "one of dull, fine"):
        assert part in str(unknown.value)
    (shard,) = (job.artifact("examples") / "Split-eval").iterdir()
    kept = read(job.artifact("examples"), "eval")[1:]
    with tf.io.TFRecordWriter(str(shard), "GZIP") as writer:
        for example in kept:
            writer.write(example.SerializeToString())
    with pytest.raises(JobError) as lost:
        job.run()
    for part in ("Documents were lost or duplicated", f"'eval': {len(kept)}", f"'eval': {len(kept) + 1}", "--no-cache"):
        assert part in str(lost.value)
