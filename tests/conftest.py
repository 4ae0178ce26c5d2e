"""A small corpus, run once through the real Beam pipelines of SequenceTransform for all tests."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import random
import shutil
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import hypothesis
import pytest

from tests import database_servers

# Examples vary in duration with the machine, and the first one builds TensorFlow's functions.
hypothesis.settings.register_profile("seqloom", deadline=None)
hypothesis.settings.load_profile("seqloom")

TRANSFORM = {"max_size": 60, "min_count": 2, "truncate": {"to": 24, "keep": "head+tail"}}
LABELS = ("negative", "positive")


@dataclasses.dataclass(frozen=True)
class Corpus:
    """Documents, their raw and transformed files by split, the transform graph, and the counts and reports of Beam."""

    documents: dict
    raw: dict
    transformed: dict
    graph: Path
    counts: dict
    reports: list


def _documents(split: str, count: int) -> list:
    from components.corpus_example_gen.documents import Document

    random_ = random.Random(split)
    common = [f"w{number}" for number in range(40)] + ["don't", "café", "!", "<pad>", "(", "日本"]
    documents = []
    for number in range(count):
        label = random_.choice(LABELS)
        words = random_.choices([*common, f"rare{split}{number}"], k=random_.randrange(1, 40))
        words += [{"negative": "dull", "positive": "moving"}[label]] * random_.randrange(1, 4)
        random_.shuffle(words)
        text = "<br />" if number == 7 else random_.choice([" ", "<br>", "\n"]).join(words)
        source = random_.choice(["imdb", "rt"])
        documents.append(Document((text,), label, source, f"{split}-{number}", number + 1))
    return documents


@pytest.fixture(scope="session")
def prism() -> str:
    """The program of Beam's engine Prism, which `.ci/run` builds."""
    found = os.environ.get("SEQLOOM_PRISM") or shutil.which("prism")
    if found is None:
        pytest.skip("Prism is not installed: neither SEQLOOM_PRISM nor a prism on the PATH")
    return found


@pytest.fixture(scope="session", params=database_servers.SERVERS)
def database_server(request: pytest.FixtureRequest) -> Iterator[database_servers.DatabaseServer]:
    """A server of each kind, which `.ci/run` installs."""
    reason = database_servers.missing(request.param)
    if reason is not None:
        pytest.skip(reason)
    with database_servers.started(request.param) as server:
        yield server


@pytest.fixture
def store_url(database_server: database_servers.DatabaseServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty database, with the password in the environment."""
    monkeypatch.setenv("SEQLOOM_METADATA_PASSWORD", database_servers.PASSWORD)
    return database_server.create(f"store_{uuid.uuid4().hex[:8]}")


@pytest.fixture(scope="session")
def transformed_record():
    """Makes a transformed SequenceExample with TensorFlow's own protocol buffers."""
    import tensorflow as tf

    def numbers(value: int) -> tf.train.Feature:
        return tf.train.Feature(int64_list={"value": [value]})

    def record(document: dict, label: bool = True) -> bytes:
        """Serializes a document of `id`, `tokens` and, if it has them, `source`, `label`, `length` and other lists."""
        names = {"id": document["id"], "source": document.get("source", b"s")}
        context = {name: tf.train.Feature(bytes_list={"value": [value]}) for name, value in names.items()}
        context["length"] = numbers(document.get("length", len(document["tokens"])))
        if label:
            context["label"] = numbers(document.get("label", 0))
        steps = {name: [numbers(value) for value in document.get(name, ())] for name in ("tokens", "tags", "labels")}
        steps["words"] = [tf.train.Feature(bytes_list={"value": [value]}) for value in document.get("words", ())]
        lists = {name: tf.train.FeatureList(feature=found) for name, found in steps.items() if name in document}
        example = tf.train.SequenceExample(context={"feature": context}, feature_lists={"feature_list": lists})
        return example.SerializeToString()

    return record


@pytest.fixture(scope="session")
def write_transformed(transformed_record):
    """Writes documents, as `transformed_record` takes them, to one file, compressed if its suffix is `.gz`."""
    import tensorflow as tf

    def write(path: Path, documents: list[dict], label: bool = True) -> None:
        with tf.io.TFRecordWriter(str(path), "GZIP" if path.suffix == ".gz" else "") as writer:
            for document in documents:
                writer.write(transformed_record(document, label))

    return write


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], None]], Path]:
    """Fills a folder once for all processes of the tests; later ones wait for it."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent

    def folder(name: str, fill: Callable[[Path], None]) -> Path:
        with (root / f"{name}.lock").open("a+") as state:
            fcntl.flock(state, fcntl.LOCK_EX)
            state.seek(0)
            if not state.read():
                shutil.rmtree(root / name, ignore_errors=True)
                (root / name).mkdir()
                fill(root / name)
                state.write("full")
        return root / name

    return folder


@pytest.fixture(scope="session")
def transform_documents(made_once):
    """Runs documents through the real Beam pipelines of SequenceTransform, once per folder name."""

    def transform(name: str, documents: dict, kind, settings: dict, classes: tuple) -> Corpus:
        """Transforms documents by split, those of train in two shards."""
        from components.shared.beam_results import read_json

        def paths(root: Path, stage: str) -> dict[str, list[str]]:
            shards = {"train": 2, "eval": 1}
            return {s: [f"{root}/{stage}/{s}/data_tfrecord-{n}.gz" for n in range(shards[s])] for s in shards}

        def fill(root: Path) -> None:
            raw = paths(root, "raw")
            _write_raw(raw, documents)
            _run_beam(root, raw, paths(root, "transformed"), kind, settings, classes)

        root = made_once(name, fill)
        (counts,), reports = (read_json(f"{root}/graph/{part}.json") for part in ("counts", "reports"))
        return Corpus(documents, paths(root, "raw"), paths(root, "transformed"), root / "graph", counts, reports)

    return transform


@pytest.fixture(scope="session")
def corpus(transform_documents) -> Corpus:
    """Transformed documents of two classes, each with a characteristic word."""
    from trainer.data.kinds import LABELLED_TEXT

    documents = {"train": _documents("train", 60), "eval": _documents("eval", 20)}
    return transform_documents("corpus", documents, LABELLED_TEXT, TRANSFORM, LABELS)


def _write_raw(raw: dict, documents: dict) -> None:
    import tensorflow as tf

    from components.corpus_example_gen.writing.encode import encode

    for split, paths in raw.items():
        per_shard = len(documents[split]) // len(paths)
        for shard, path in enumerate(paths):
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            with tf.io.TFRecordWriter(path, "GZIP") as writer:
                for document in documents[split][shard * per_shard : (shard + 1) * per_shard]:
                    writer.write(encode(document))


def _run_beam(root: Path, raw: dict, transformed: dict, kind, values: dict, classes: tuple) -> None:
    import apache_beam as beam
    import tensorflow_transform.beam as tft_beam
    from apache_beam.options.pipeline_options import PipelineOptions
    from tfx.utils import io_utils

    from components.sequence_transform import transform
    from components.sequence_transform.shard_report import ShardReport, dataset
    from components.sequence_transform.shard_work import ShardJob
    from components.sequence_transform.vocabulary import select_words, write_classes, write_vocabulary
    from components.shared.beam_results import WriteJson, read_json, write_json
    from pipeline.runners.local_beam import LOCAL_BEAM
    from schema import curated
    from trainer.settings import OutputSettings, TransformSettings
    from trainer.text.preprocessing import make_preprocessing_fn

    settings = TransformSettings.model_validate(values)
    schema = io_utils.SchemaReader().read(str(curated.path(kind.name)))
    graph = str(root / "graph")
    with beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline:
        _ = transform.count(pipeline, raw["train"], settings, kind, None) | WriteJson(f"{graph}/counts.json")
    (counts,) = read_json(f"{graph}/counts.json")
    words = select_words(counts["tokens"], settings)
    assets = {"vocabulary": write_vocabulary(graph, words)}
    if kind.classes_file:
        assets["classes"] = write_classes(f"{graph}/{kind.classes_file}", list(classes))
    preprocessing_fn = make_preprocessing_fn(settings, kind, **assets)
    job = ShardJob(settings, OutputSettings(), kind, 4 + len(words))
    shards = [(split, *pair) for split in raw for pair in zip(raw[split], transformed[split], strict=True)]
    with (
        beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM))) as pipeline,
        tft_beam.Context(temp_dir=str(root / "tft"), force_tf_compat_v1=False),
    ):
        reports = transform.transform(pipeline, shards, schema, job, preprocessing_fn, graph)
        _ = reports | WriteJson(f"{graph}/reports.json")
    write_json({**settings.model_dump(), "kind": kind.name}, f"{graph}/settings.json")
    summary = {split: ShardReport(split) for split in raw}
    for report in map(ShardReport.from_json, read_json(f"{graph}/reports.json")):
        summary[report.split].add(report)
    write_json({split: dataset(report, settings.pad) for split, report in summary.items()}, f"{graph}/summary.json")
