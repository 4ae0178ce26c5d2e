"""The validator's library on real statistics of small raw SequenceExamples."""

from __future__ import annotations

import itertools
import json
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import apache_beam as beam
import pytest
import tensorflow as tf
import tensorflow_data_validation as tfdv
from apache_beam.options.pipeline_options import PipelineOptions
from google.protobuf import text_format
from pydantic import ValidationError
from tensorflow_data_validation.statistics.stats_impl import generate_statistics_in_memory
from tensorflow_metadata.proto.v0 import anomalies_pb2, schema_pb2, statistics_pb2
from tfx_bsl.coders.sequence_example_coder import SequenceExamplesToRecordBatchDecoder

from components.corpus_validator import evidence, statistics, validate
from components.corpus_validator.anomalies import Anomaly, AnomalyError
from components.corpus_validator.settings import ValidationSettings
from components.shared.example_files import shard_paths
from schema import curated
from trainer.errors import JobError

BEAM_ARGS = [
    "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner",
    "--direct_running_mode=in_memory",
    "--direct_num_workers=1",
]
CLASSES = ("bad", "good")


def make_pipeline() -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions(BEAM_ARGS))


def document(number: int, lists: dict[str, list[str]] | None = None, **context: str | None) -> bytes:
    """A raw SequenceExample; a context feature given as None is left out."""
    example = tf.train.SequenceExample()
    values = {"id": f"d{number}", "source": "news", "label": CLASSES[number % 2], **context}
    for name, value in values.items():
        if value is not None:
            example.context.feature[name].bytes_list.value.append(value.encode())
    for name, steps in (lists or {"text": [f"Film number {number}"]}).items():
        feature_list = example.feature_lists.feature_list[name]
        for value in steps:
            feature_list.feature.add().bytes_list.value.append(value.encode())
    return example.SerializeToString()


GOOD = [document(number) for number in range(20)]


def statistics_of(documents: list[bytes]) -> statistics_pb2.DatasetFeatureStatisticsList:
    """The statistics that Beam computes of the documents, without the seconds that a pipeline takes."""
    batch = SequenceExamplesToRecordBatchDecoder(curated.SEQUENCE).DecodeBatch(documents)
    return generate_statistics_in_memory(batch, tfdv.StatsOptions())


@pytest.fixture
def split(tmp_path: Path) -> Callable[..., validate.Split]:
    """Makes a split of documents, in files of ten, with their statistics."""
    counter = itertools.count()

    def make(
        documents: list[bytes],
        previous: validate.Split | None = None,
        serving: validate.Split | None = None,
        schema: schema_pb2.Schema | None = None,
    ) -> validate.Split:
        folder = tmp_path / str(next(counter)) / "Split-train"
        folder.mkdir(parents=True)
        for start in range(0, len(documents), 10):
            with tf.io.TFRecordWriter(str(folder / f"data_tfrecord-{start:05d}.gz"), "GZIP") as writer:
                for serialized in documents[start : start + 10]:
                    writer.write(serialized)
        files = shard_paths(str(folder.parent), "train")
        rules = validate.script_rules(schema or schema_pb2.Schema())
        counted = [entry for file in reversed(files) for entry in evidence.CountFile(rules).process(("train", file))]
        return validate.Split(
            "train",
            files,
            statistics_of(documents),
            {path: letters for (_, path), letters in evidence.merge(json.loads(json.dumps(counted))).items()},
            previous.statistics if previous else None,
            serving.statistics if serving else None,
        )

    return make


def schema_with(**changes: str) -> schema_pb2.Schema:
    """The curated schema of labelled text, with fields of features replaced by text format."""
    schema = curated.for_corpus(curated.LABELLED_TEXT, classes=CLASSES)
    for path, feature in curated.features(schema):
        if path[-1] in changes:
            change = text_format.Parse(changes[path[-1]], schema_pb2.Feature())
            for field, _ in change.ListFields():
                feature.ClearField(field.name)
            feature.MergeFrom(change)
    return schema


def found(split: validate.Split, schema: schema_pb2.Schema | None = None, warn: Iterable[str] = ()) -> list[Anomaly]:
    _, anomalies = validate.validate(split, schema or schema_with(), ValidationSettings(warn=tuple(warn)))
    return anomalies


def facts(anomaly: Anomaly) -> dict[str, Any]:
    values = anomaly.to_json()
    return {name: values[name] for name in ("feature", "kind", "expected", "found", "ids")}


@pytest.mark.parametrize(
    "documents",
    [
        [*GOOD, document(77, label=None, stars="5"), document(78, {"text": ["one"] * 7}, id=None, label="ugly")],
        [],
    ],
)
def test_statistics_of_a_pipeline_are_those_in_memory(
    documents: list[bytes], split: Callable[..., validate.Split], tmp_path: Path
) -> None:
    made = split(documents)
    computed = statistics.compute_statistics(made.files, str(tmp_path / "statistics.pb"), make_pipeline)
    for dataset in (*computed.datasets, *made.statistics.datasets):
        dataset.features.sort(key=lambda feature: list(feature.path.step))
    assert computed == made.statistics


def test_good_documents_have_no_anomalies_even_beside_the_same_ones(split: Callable[..., validate.Split]) -> None:
    same = split(GOOD)
    stock, anomalies = validate.validate(split(GOOD, same, same), schema_with(), ValidationSettings())
    assert anomalies == []
    assert not stock.anomaly_info


def test_a_label_outside_its_domain_is_told_with_the_first_three_documents(
    split: Callable[..., validate.Split],
) -> None:
    strange = [document(number, label="ugly") for number in (30, 31, 32, 33)]
    (anomaly,) = found(split([*GOOD[:5], *strange, *GOOD[5:]]))
    assert facts(anomaly) == {
        "feature": "label",
        "kind": "domain",
        "expected": "one of 'bad', 'good'",
        "found": "'ugly' 4 times",
        "ids": ["d30", "d31", "d32"],
    }
    assert not anomaly.warning


def test_a_missing_label_is_told_once(split: Callable[..., validate.Split]) -> None:
    (anomaly,) = found(split([*GOOD, document(77, label=None)]))
    assert anomaly.what == "label is missing in 1 of 21 documents"
    assert facts(anomaly) == {
        "feature": "label",
        "kind": "missing",
        "expected": "in every document",
        "found": "in 20 documents",
        "ids": ["d77"],
    }


def test_labels_missing_everywhere(split: Callable[..., validate.Split]) -> None:
    (anomaly,) = found(split([document(number, label=None) for number in range(5)]))
    assert (anomaly.feature, anomaly.kind, anomaly.found) == ("label", "missing", "in 0 documents")
    assert anomaly.ids == ("d0", "d1", "d2")


def test_too_many_segments(split: Callable[..., validate.Split]) -> None:
    schema = schema_with(text="value_counts { value_count { min: 1 max: 3 } value_count { min: 1 max: 1 } }")
    long = [document(50, {"text": ["one"] * 7}), document(51, {"text": ["one"] * 3})]
    (anomaly,) = found(split([*GOOD, *long]), schema)
    assert anomaly.what == "text is too long in some documents"
    assert facts(anomaly) == {
        "feature": "text",
        "kind": "length",
        "expected": "1 to 3 steps a document",
        "found": "1 to 7 steps a document",
        "ids": ["d50"],
    }


def test_no_segments(split: Callable[..., validate.Split]) -> None:
    (anomaly,) = found(split([*GOOD, document(50, {"text": []})]))
    assert anomaly.what == "text is too short in some documents"
    assert anomaly.found == "0 to 1 steps a document"
    assert anomaly.ids == ("d50",)


def test_a_feature_that_the_schema_does_not_know(split: Callable[..., validate.Split]) -> None:
    extra = [document(number, stars="5") for number in (60, 61)]
    (anomaly,) = found(split([*GOOD, *extra]))
    assert (anomaly.feature, anomaly.kind, anomaly.found) == ("stars", "new", "in 2 documents")
    assert anomaly.ids == ("d60", "d61")


def test_documents_without_an_id_are_named_by_their_place(split: Callable[..., validate.Split]) -> None:
    (anomaly,) = found(split([*GOOD, document(99, id=None)]))
    assert (anomaly.feature, anomaly.ids) == ("id", ("data_tfrecord-00020.gz, record 1",))


def test_an_empty_split(split: Callable[..., validate.Split]) -> None:
    (anomaly,) = found(split([]))
    assert (anomaly.feature, anomaly.kind, anomaly.found) == ("corpus", "size", "none")


def test_drift_from_the_examples_before(split: Callable[..., validate.Split]) -> None:
    moved = [document(number, label="good" if number % 5 else "bad") for number in range(20)]
    (anomaly,) = found(split(moved, previous=split(GOOD)))
    assert anomaly.what == "label is distributed otherwise than in the examples before"
    assert facts(anomaly) == {
        "feature": "label",
        "kind": "drift",
        "expected": "largest difference of a share 0.2 at most",
        "found": "largest difference of a share 0.3: 'good' is 80.0% here and 50.0% there",
        "ids": ["d1", "d2", "d3"],
    }


def test_skew_against_serving_and_what_serving_does_not_log(split: Callable[..., validate.Split]) -> None:
    logged = split([document(number, label=None, source="forum") for number in range(20)])
    skew, gap = found(split(GOOD, serving=logged))
    assert (skew.feature, skew.kind, skew.warning) == ("source", "skew", False)
    assert skew.found == "largest difference of a share 1: 'news' is 100.0% here and 0.0% there"
    assert (gap.feature, gap.kind, gap.warning) == ("label", "skew", True)
    assert gap.found == "no label in what serving logged"


def test_a_wrong_script(split: Callable[..., validate.Split]) -> None:
    schema = schema_with(text='annotation { tag: "script:Latin>=0.9" }')
    good = [document(number, {"text": ["Only Latin, 12 letters"]}) for number in range(8)]
    russian = [document(number, {"text": ["Это русский текст"]}) for number in (40, 41, 42, 43)]
    assert found(split(good, schema=schema), schema) == []
    documents = [*good, *russian]
    stock, (anomaly,) = validate.validate(split(documents, schema=schema), schema, ValidationSettings())
    # 8 times 16 Latin letters, 4 times 15 Cyrillic ones.
    assert facts(anomaly) == {
        "feature": "text",
        "kind": "script",
        "expected": "at least 90.0% of the letters Latin",
        "found": "68.1%; most are Latin 68.1%, Cyrillic 31.9%",
        "ids": ["d40", "d41", "d42"],
    }
    info = stock.anomaly_info["##SEQUENCE##.text"]
    assert [reason.type for reason in info.reason] == [anomalies_pb2.AnomalyInfo.CUSTOM_VALIDATION]
    assert list(info.path.step) == ["##SEQUENCE##", "text"]


def test_tagged_sentences(split: Callable[..., validate.Split]) -> None:
    lists = {"tokens": ["Dogs", "bark"], "tags": ["NOUN", "VERB"]}
    good = [document(number, lists, label=None) for number in range(4)]
    schema = curated.for_corpus(curated.TAGGED_TEXT, classes=["NOUN", "VERB"])
    assert found(split(good), schema) == []
    wrong = document(9, {"tokens": ["Oh"], "tags": ["INTJ"]}, label=None)
    (anomaly,) = found(split([*good, wrong]), schema)
    assert (anomaly.feature, anomaly.found, anomaly.ids) == ("tags", "'INTJ' 1 times", ("d9",))


def test_documents_with_any_number_of_labels(split: Callable[..., validate.Split]) -> None:
    numbers = [["bad"], [], ["bad", "good"], []]
    good = [document(n, {"text": ["x"], "labels": labels}, label=None) for n, labels in enumerate(numbers)]
    schema = curated.for_corpus(curated.MULTI_LABELLED_TEXT, classes=CLASSES)
    assert found(split(good), schema) == []
    assert found(split(good[1:2]), schema) == []
    wrong = document(9, {"text": ["x"], "labels": ["good", "ugly"]}, label=None)
    (anomaly,) = found(split([*good, wrong]), schema)
    assert (anomaly.feature, anomaly.found, anomaly.ids) == ("labels", "'ugly' 1 times", ("d9",))


def test_text_without_labels(split: Callable[..., validate.Split]) -> None:
    good = split([document(number, label=None) for number in range(4)])
    assert found(good, curated.for_corpus(curated.TEXT)) == []


@pytest.mark.parametrize(("warn", "lowered"), [(["label"], True), (["label:domain"], True), (["label:drift"], False)])
def test_an_anomaly_is_lowered_by_feature_or_by_kind(
    split: Callable[..., validate.Split], warn: list[str], lowered: bool
) -> None:
    (anomaly,) = found(split([*GOOD, document(30, label="ugly")]), warn=warn)
    assert anomaly.warning is lowered


def test_the_error_names_what_fails_and_how_to_lower_it() -> None:
    anomalies = [
        Anomaly("train", "label", "domain", "label is odd", "one of a, b", "c", ("d1", "d2")),
        Anomaly("eval", "label", "domain", "label is odd", "one of a, b", "e"),
        Anomaly("eval", "text", "length", "text is too long", "1 to 3", "7"),
        Anomaly("eval", "source", "drift", "source moved", "0.3", "0.4", (), warning=True),
    ]
    error = pickle.loads(pickle.dumps(AnomalyError(anomalies)))
    assert isinstance(error, JobError)
    assert error.anomalies == tuple(anomalies)
    assert error.what == "The examples do not fit their schema: label, text."
    assert error.where == "ExampleValidator, split train, eval"
    assert error.found == "label is odd: c (documents d1, d2); label is odd: e; text is too long: 7"
    assert error.expected == "label: one of a, b; text: 1 to 3"
    assert error.fix is not None
    assert error.fix.endswith("validation: {warn: [label:domain, text:length]}")
    assert [Anomaly.from_json(json.loads(json.dumps(one.to_json()))) for one in anomalies] == anomalies


@pytest.mark.parametrize(("entry", "told"), [("label:drifts", "kind of anomaly"), (":drift", "must name a feature")])
def test_a_wrong_entry_of_warn_is_refused(entry: str, told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        ValidationSettings(warn=(entry,))
