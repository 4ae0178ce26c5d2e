"""The validator's library on real statistics of small raw SequenceExamples."""

import itertools
import json
import pickle
from collections.abc import Callable, Iterable
from pathlib import Path

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
from pipeline.runners.local_beam import LOCAL_BEAM
from schema import curated
from trainer.errors import JobError

CLASSES = ("bad", "good")
PLACE = "data_tfrecord-00020.gz, record 1"
MakeSplit = Callable[..., validate.Split]


def make_pipeline() -> beam.Pipeline:
    return beam.Pipeline(options=PipelineOptions(list(LOCAL_BEAM)))


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
    """The statistics that Beam computes of the documents, without a slow pipeline."""
    batch = SequenceExamplesToRecordBatchDecoder(curated.SEQUENCE).DecodeBatch(documents)
    return generate_statistics_in_memory(batch, tfdv.StatsOptions())


@pytest.fixture
def split(tmp_path: Path) -> MakeSplit:
    """Makes a split of documents, in files of ten, with their statistics."""
    counter = itertools.count()

    def make(documents, previous=None, serving=None, schema=None) -> validate.Split:
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
    schema = curated.for_corpus("labelled_text", target="label", classes=CLASSES)
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


def facts(anomaly: Anomaly) -> str:
    return f"{anomaly.feature} {anomaly.kind}: {anomaly.expected}; {anomaly.found}; {' '.join(anomaly.ids)}"


ODD = [document(77, label=None, stars="5"), document(78, {"text": ["one"] * 7}, id=None, label="ugly")]


@pytest.mark.parametrize("documents", [GOOD + ODD, []])
def test_pipeline_statistics_match_those_in_memory(documents: list[bytes], split: MakeSplit, tmp_path: Path) -> None:
    made = split(documents)
    computed = statistics.compute_statistics(made.files, str(tmp_path / "statistics.pb"), make_pipeline)
    for dataset in (*computed.datasets, *made.statistics.datasets):
        dataset.features.sort(key=lambda feature: list(feature.path.step))
    assert computed == made.statistics


def test_good_documents_have_no_anomalies_or_drift_from_equal_ones(split: MakeSplit) -> None:
    same = split(GOOD)
    stock, anomalies = validate.validate(split(GOOD, same, same), schema_with(), ValidationSettings())
    assert anomalies == []
    assert not stock.anomaly_info


LABELS = schema_with()
LENGTHS = schema_with(text="value_counts { value_count { min: 1 max: 3 } value_count { min: 1 max: 1 } }")
TAGGED = curated.for_corpus("tagged_text", target="tags", classes=["NOUN", "VERB"])
MULTI = curated.for_corpus("multi_labelled_text", target="labels", classes=CLASSES)
UNLABELLED = [document(n, label=None) for n in range(5)]
UGLY = [document(n, label="ugly") for n in range(30, 34)]
EMPTY, LONG = (document(n, {"text": ["one"] * n}) for n in (0, 7))
STARS = [document(n, stars="5") for n in (60, 61)]
SENTENCES = [document(n, {"tokens": ["Oh", "no"], "tags": ["NOUN", "VERB"]}, label=None) for n in range(4)]
INTERJECTION = document(9, {"tokens": ["Oh"], "tags": ["INTJ"]}, label=None)
FILMS = [
    document(n, {"text": ["x"], "labels": labels}, label=None)
    for n, labels in enumerate([["bad"], [], ["bad", "good"], [], ["good", "ugly"]])
]


@pytest.mark.parametrize(
    ("documents", "schema", "expected"),
    [
        (GOOD[:5] + UGLY + GOOD[5:], LABELS, "label domain: one of 'bad', 'good'; 'ugly' 4 times; d30 d31 d32"),
        ([*GOOD, UNLABELLED[3]], LABELS, "label missing: in every document; in 20 documents; d3"),
        (UNLABELLED, LABELS, "label missing: in every document; in 0 documents; d0 d1 d2"),
        ([*GOOD, LONG], LENGTHS, "text length: 1 to 3 steps per document; 1 to 7 steps per document; d7"),
        ([*GOOD, EMPTY], LENGTHS, "text length: 1 to 3 steps per document; 0 to 1 steps per document; d0"),
        (GOOD + STARS, LABELS, "stars new: only features of the schema; in 2 documents; d60 d61"),
        ([*GOOD, document(99, id=None)], LABELS, "id missing: in every document; in 20 documents; " + PLACE),
        ([], LABELS, "corpus size: at least one document; none; "),
        ([*SENTENCES, INTERJECTION], TAGGED, "tags domain: one of 'NOUN', 'VERB'; 'INTJ' 1 times; d9"),
        (FILMS, MULTI, "labels domain: one of 'bad', 'good'; 'ugly' 1 times; d4"),
    ],
)
def test_an_anomaly_names_feature_kind_and_documents(split, documents, schema, expected):
    (anomaly,) = found(split(documents), schema)
    assert facts(anomaly) == expected
    assert not anomaly.warning


TEXT = curated.for_corpus("text")


@pytest.mark.parametrize(
    ("documents", "schema"), [(SENTENCES, TAGGED), (FILMS[:4], MULTI), (FILMS[1:2], MULTI), (UNLABELLED, TEXT)]
)
def test_good_documents_of_other_kinds_have_no_anomalies(split, documents, schema):
    assert found(split(documents), schema) == []


def test_an_anomaly_has_a_description(split: MakeSplit) -> None:
    for wrong, what in (
        (UNLABELLED[3], "label is missing in 1 of 21 documents"),
        (LONG, "text is too long in some documents"),
        (EMPTY, "text is too short in some documents"),
    ):
        assert [anomaly.what for anomaly in found(split([*GOOD, wrong]), LENGTHS)] == [what]


def test_drift_from_the_previous_examples(split: MakeSplit) -> None:
    moved = [document(number, label="good" if number % 5 else "bad") for number in range(20)]
    (anomaly,) = found(split(moved, previous=split(GOOD)))
    assert anomaly.what == "label's distribution differs from that of the previous examples"
    assert facts(anomaly) == (
        "label drift: largest difference in share at most 0.2; "
        "largest difference in share 0.3: 'good' is 80.0% here and 50.0% in the previous examples; d1 d2 d3"
    )


def test_skew_against_serving_logs_and_a_feature_they_lack(split: MakeSplit) -> None:
    logged = split([document(number, label=None, source="forum") for number in range(20)])
    skew, gap = found(split(GOOD, serving=logged))
    assert (skew.feature, skew.kind, skew.warning) == ("source", "skew", False)
    assert skew.found == "largest difference in share 1: 'news' is 100.0% here and 0.0% in the serving logs"
    assert (gap.feature, gap.kind, gap.warning) == ("label", "skew", True)
    assert gap.found == "no label in the serving logs"


def test_letters_of_a_wrong_script_are_an_anomaly(split: MakeSplit) -> None:
    schema = schema_with(text='annotation { tag: "script:Latin>=0.9" }')
    good = [document(number, {"text": ["Only Latin, 12 letters"]}) for number in range(8)]
    russian = [document(number, {"text": ["Это русский текст"]}) for number in (40, 41, 42, 43)]
    assert found(split(good, schema=schema), schema) == []
    documents = [*good, *russian]
    stock, (anomaly,) = validate.validate(split(documents, schema=schema), schema, ValidationSettings())
    # 8 times 16 Latin letters, 4 times 15 Cyrillic ones.
    most = "68.1%; mostly Latin 68.1%, Cyrillic 31.9%"
    assert facts(anomaly) == f"text script: at least 90.0% Latin letters; {most}; d40 d41 d42"
    info = stock.anomaly_info["##SEQUENCE##.text"]
    assert [reason.type for reason in info.reason] == [anomalies_pb2.AnomalyInfo.CUSTOM_VALIDATION]
    assert list(info.path.step) == ["##SEQUENCE##", "text"]


@pytest.mark.parametrize(("warn", "lowered"), [(["label"], True), (["label:domain"], True), (["label:drift"], False)])
def test_an_anomaly_is_lowered_by_feature_or_by_kind(split: MakeSplit, warn: list[str], lowered: bool) -> None:
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
    assert (isinstance(error, JobError), error.anomalies) == (True, tuple(anomalies))
    assert error.what == "The examples do not fit their schema: label, text."
    assert error.where == "ExampleValidator, split train, eval"
    assert error.found == "label is odd: c (documents d1, d2); label is odd: e; text is too long: 7"
    assert error.expected == "label: one of a, b; text: 1 to 3"
    assert str(error.fix).endswith("validation: {warn: [label:domain, text:length]}")


@pytest.mark.parametrize(("entry", "message"), [("label:drifts", "kind of anomaly"), (":drift", "must name a feature")])
def test_an_invalid_entry_of_warn_is_an_error(entry: str, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        ValidationSettings(warn=(entry,))
