"""SequenceTransform behind CorpusExampleGen, under the real LocalDagRunner with ML Metadata in SQLite."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import json
import sqlite3
from pathlib import Path

import pytest
import tensorflow as tf
import tensorflow_transform as tft
from tfx.components.schema_gen.import_schema_gen.component import ImportSchemaGen
from tfx.orchestration.local.local_dag_runner import LocalDagRunner
from tfx.orchestration.metadata import sqlite_metadata_connection_config
from tfx.orchestration.pipeline import Pipeline

from components.corpus_example_gen.component import CorpusExampleGen
from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from components.sequence_transform.component import SequenceTransform
from schema import curated
from trainer.errors import JobError
from trainer.settings import TransformSettings

BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
    "--sdk_container_image=none",
]
SPLITS = ("train", "eval", "test")
DOCUMENTS = [(f"Film {n} was {'not ' * (n % 7)}good", ("dull", "fine", "bright")[n % 3]) for n in range(200)]


@dataclasses.dataclass(frozen=True)
class Job:
    """A pipeline of the two components in its own folder."""

    folder: Path

    def run(self, labels: list[str] | None = None, code: str = "1") -> None:
        self.folder.mkdir(exist_ok=True)
        lines = [json.dumps({"text": text, "label": label}) for text, label in DOCUMENTS]
        corpus = self.folder / "data.jsonl"
        if not corpus.exists():
            corpus.write_text("\n".join(lines))
        example_gen = CorpusExampleGen(
            input_base=str(self.folder),
            pattern="data.jsonl",
            settings=CorpusSettings(format="jsonl", path="data.jsonl", label="label"),
            splits=SplitSettings(),
            code="1",
            quarantine_dir=str(self.folder / "quarantine"),
        )
        schema = ImportSchemaGen(schema_file=str(curated.path(curated.LABELLED_TEXT)))
        transform = SequenceTransform(
            examples=example_gen.outputs["examples"],
            schema=schema.outputs["schema"],
            settings=TransformSettings(min_count=2, truncate={"to": 8, "keep": "head"}),
            labels=json.dumps(labels or []),
            code=code,
        )
        pipeline = Pipeline(
            pipeline_name="transform",
            pipeline_root=str(self.folder / "root"),
            components=[example_gen, schema, transform],
            enable_cache=True,
            metadata_connection_config=sqlite_metadata_connection_config(str(self.folder / "metadata.sqlite")),
            beam_pipeline_args=BEAM_ARGS,
        )
        LocalDagRunner().run(pipeline)

    def artifact(self, name: str) -> Path:
        """The newest artifact of an output channel."""
        folders = self.folder.glob(f"root/*/{name}/*")
        return max(folders, key=lambda folder: int(folder.name))

    def properties(self, artifact: Path) -> dict[str, str]:
        """What ML Metadata says of an artifact."""
        with contextlib.closing(sqlite3.connect(self.folder / "metadata.sqlite")) as database:
            rows = database.execute(
                "select p.name, p.string_value from ArtifactProperty p join Artifact a on a.id = p.artifact_id"
                " where a.uri = ?",
                [str(artifact)],
            )
            return dict(rows.fetchall())


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Job:
    job = Job(tmp_path_factory.mktemp("transform"))
    job.run()
    return job


def read(examples: Path, split: str) -> list[tf.train.SequenceExample]:
    files = sorted(str(path) for path in (examples / f"Split-{split}").iterdir())
    return [
        tf.train.SequenceExample.FromString(record)
        for record in tf.data.TFRecordDataset(files, "GZIP").as_numpy_iterator()
    ]


def tokens(example: tf.train.SequenceExample) -> list[int]:
    return [step.int64_list.value[0] for step in example.feature_lists.feature_list["tokens"].feature]


def test_every_document_is_written_as_ids_in_its_split_and_order(done: Job) -> None:
    vocabulary = (done.artifact("transform_graph") / "vocabulary.txt").read_text().splitlines()
    assert vocabulary[:4] == ["<pad>", "<unk>", "<bos>", "<eos>"]
    raw = {split: read(done.artifact("examples"), split) for split in SPLITS}
    assert sum(len(examples) for examples in raw.values()) == len(DOCUMENTS)
    words = {split: [text(example).lower().split() for example in examples] for split, examples in raw.items()}
    counts = collections.Counter(word for document in words["train"] for word in document[:8])
    frequent = sorted((word for word in counts if counts[word] > 1), key=lambda word: (-counts[word], word))
    assert vocabulary[4:] == frequent
    ids = {word: number for number, word in enumerate(vocabulary)}
    for split in SPLITS:
        after = read(done.artifact("transformed_examples"), split)
        assert [context(example, "id") for example in after] == [context(example, "id") for example in raw[split]]
        assert [tokens(example) for example in after] == [
            [ids.get(w, 1) for w in document[:8]] for document in words[split]
        ]
        assert [context(example, "length") for example in after] == [len(tokens(example)) for example in after]


def test_without_listed_classes_they_are_those_of_the_train_split(done: Job) -> None:
    labels = (done.artifact("transform_graph") / "labels.txt").read_text().splitlines()
    assert labels == ["bright", "dull", "fine"]
    for split in SPLITS:
        before, after = read(done.artifact("examples"), split), read(done.artifact("transformed_examples"), split)
        assert [labels[context(example, "label")] for example in after] == [
            context(example, "label").decode() for example in before
        ]


def test_the_graph_is_laid_out_as_stock_transform_does(done: Job) -> None:
    output = tft.TFTransformOutput(str(done.artifact("transform_graph")))
    assert set(output.transformed_feature_spec()) == {"id", "source", "label", "length", "tokens"}
    assert output.transform_savedmodel_dir.endswith("transform_fn")
    raw = {
        **{name: tf.constant([value]) for name, value in {"id": "a", "source": "b", "label": "fine"}.items()},
        "text": tf.ragged.constant([[["Film was good"]]], ragged_rank=2),
    }
    made = output.transform_features_layer()(raw)
    vocabulary = (done.artifact("transform_graph") / "vocabulary.txt").read_text().splitlines()
    assert made["tokens"].to_list() == [[vocabulary.index(word) for word in ("film", "was", "good")]]
    assert (made["label"].numpy().tolist(), made["length"].numpy().tolist()) == ([2], [3])


def test_the_artifact_tells_its_format_and_the_summary_its_counts(done: Job) -> None:
    transformed = done.artifact("transformed_examples")
    properties = done.properties(transformed)
    assert properties["payload_format"] == "FORMAT_TF_SEQUENCE_EXAMPLE"
    assert properties["file_format"] == "tfrecords_gzip"
    assert json.loads(properties["split_names"]) == list(SPLITS)
    summary = json.loads((done.artifact("transform_graph") / "summary.json").read_text())
    for split in SPLITS:
        ids = [tokens(example) for example in read(transformed, split)]
        flat = [number for document in ids for number in document]
        known = sum(number != 1 for number in flat)
        expected = {
            "documents": len(ids),
            "tokens": len(flat),
            "empty": 0,
            "coverage": pytest.approx(known / len(flat)),
            "split": split,
            "left_out": 0,
            "bytes": sum(path.stat().st_size for path in (transformed / f"Split-{split}").iterdir()),
        }
        told_elsewhere = {"length", "padding", "shards", "sha256"}  # Held against references in the unit tests.
        assert {key: value for key, value in summary[split].items() if key not in told_elsewhere} == expected
        assert json.loads((transformed / f"{split}.dataset.json").read_text()) == summary[split]


def test_a_fresh_run_elsewhere_writes_the_same_bytes_and_clears_partial_files(done: Job, tmp_path: Path) -> None:
    again = Job(tmp_path / "again")
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


def test_wrong_classes_and_lost_documents_end_it(tmp_path: Path) -> None:
    job = Job(tmp_path / "job")
    with pytest.raises(JobError) as unknown:
        job.run(labels=["dull", "fine"])
    for part in ("A label of the", "split is not among the classes", "'bright' on", "one of dull, fine"):
        assert part in str(unknown.value)
    (shard,) = (job.artifact("examples") / "Split-eval").iterdir()
    kept = [example.SerializeToString() for example in read(job.artifact("examples"), "eval")][1:]
    with tf.io.TFRecordWriter(str(shard), "GZIP") as writer:
        for record in kept:
            writer.write(record)
    with pytest.raises(JobError) as lost:
        job.run()
    for part in ("Documents were lost or doubled", f"'eval': {len(kept)}", f"'eval': {len(kept) + 1}", "--no-cache"):
        assert part in str(lost.value)


def text(example: tf.train.SequenceExample) -> str:
    (step,) = example.feature_lists.feature_list["text"].feature
    return step.bytes_list.value[0].decode()


def context(example: tf.train.SequenceExample, name: str) -> int | bytes:
    feature = example.context.feature[name]
    (value,) = getattr(feature, feature.WhichOneof("kind")).value
    return value
