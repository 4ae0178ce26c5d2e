"""The curated schemas, and the differences between two schemas."""

import pytest
from google.protobuf import text_format
from tensorflow_metadata.proto.v0 import schema_pb2
from tfx_bsl.tfxio.tf_sequence_example_record import TFSequenceExampleBeamRecord

from schema import curated
from schema.differences import differences
from trainer.data import features, kinds


@pytest.mark.parametrize("kind", curated.SCHEMAS)
def test_a_curated_schema_has_the_raw_features_of_its_kind(kind: str) -> None:
    schema = curated.load(kind)
    paths = [path for path, _ in curated.features(schema)]
    assert tuple(path[-1] for path in paths) == kinds.KINDS[kind].raw
    lists = {path[-1] for path in paths if path[0] == curated.SEQUENCE}
    assert lists == set(kinds.KINDS[kind].raw) & {features.TEXT, features.LABELS, features.TOKENS, features.TAGS}
    for _, feature in curated.features(schema):
        assert feature.type == schema_pb2.BYTES
        assert feature.presence.min_fraction == 1.0
    representations = TFSequenceExampleBeamRecord("test", ["test"], schema).TensorRepresentations()
    assert set(representations) == set(kinds.KINDS[kind].raw)
    assert {name for name, tensor in representations.items() if tensor.WhichOneof("kind") == "ragged_tensor"} == lists


def test_the_classes_become_the_domain_of_labels_and_tags() -> None:
    for kind, name in {"labelled_text": "label", "multi_labelled_text": "labels", "tagged_text": "tags"}.items():
        schema = curated.for_corpus(kind, target=name, classes=["b", "a"])
        domains = {path[-1]: curated.domain(schema, feature) for path, feature in curated.features(schema)}
        assert domains.pop(name) == ("b", "a")
        assert set(domains.values()) == {()}


def test_sources_that_are_file_names_are_not_compared() -> None:
    def compared(schema: schema_pb2.Schema) -> set[str]:
        return {path[-1] for path, feature in curated.features(schema) if feature.HasField("drift_comparator")}

    assert compared(curated.for_corpus("labelled_text")) == {"label", "source"}
    assert compared(curated.for_corpus("labelled_text", named_sources=False)) == {"label"}


def test_the_commented_example_of_a_script_rule_is_valid() -> None:
    text = curated.path("text").read_text().replace("# annotation", "annotation")
    schema = text_format.Parse(text, schema_pb2.Schema())
    tags = {path[-1]: list(feature.annotation.tag) for path, feature in curated.features(schema)}
    assert tags == {"id": [], "source": [], "text": ["script:Latin>=0.95"]}


def parsed(text: str) -> schema_pb2.Schema:
    return text_format.Parse(text, schema_pb2.Schema())


FIRST = """
feature { name: "label" type: BYTES string_domain { name: "label" value: "a" value: "b" } shape {}
          drift_comparator { infinity_norm { threshold: 0.2 } } }
feature { name: "stars" type: INT }
feature { name: "##SEQUENCE##" type: STRUCT struct_domain { feature {
  name: "text" type: BYTES presence { min_fraction: 1.0 min_count: 1 }
  value_counts { value_count { min: 1 max: 9 } value_count { min: 1 } } } } }
"""
SECOND = """
feature { name: "##SEQUENCE##" type: STRUCT struct_domain { feature {
  name: "text" type: BYTES presence { min_fraction: 0.5 min_count: 1 } annotation { tag: "script:Latin>=0.9" }
  value_counts { value_count { min: 1 max: 5 } value_count { min: 1 } } } } }
feature { name: "label" type: INT domain: "shared" shape { dim { size: 2 } } }
feature { name: "tone" type: BYTES }
string_domain { name: "shared" value: "c" value: "b" }
"""


def test_each_difference_is_a_line() -> None:
    assert differences(parsed(FIRST), parsed(SECOND)) == [
        "label, drift comparator: shares differ by at most 0.2 -> nothing",
        "label, shape: one value -> 2 values",
        "label, type: BYTES -> INT",
        "label, values: only in the first: 'a'",
        "label, values: only in the second: 'c'",
        "stars: only in the first",
        "text, annotation: nothing -> script:Latin>=0.9",
        "text, presence: in 100.0% of the documents, at least 1 -> in 50.0% of the documents, at least 1",
        "text, value counts: 1 to 9 values, each of at least 1 values -> 1 to 5 values, each of at least 1 values",
        "tone: only in the second",
    ]


def test_the_order_and_location_of_a_domain_do_not_matter() -> None:
    left = 'feature { name: "a" type: BYTES string_domain { name: "a" value: "x" value: "y" } } feature { name: "b" }'
    right = 'string_domain { name: "s" value: "y" value: "x" } feature { name: "b" }'
    right += 'feature { name: "a" type: BYTES domain: "s" }'
    assert differences(parsed(left), parsed(right)) == []
    assert differences(parsed(FIRST), parsed(FIRST)) == []


def test_a_missing_tensor_representation_is_a_difference() -> None:
    without = curated.load("text")
    without.ClearField("tensor_representation_group")
    expected = [f"tensor {name}: only in the first" for name in ("id", "source", "text")]
    assert differences(curated.load("text"), without) == expected


def test_a_long_domain_is_compared_in_full() -> None:
    def many(last: str) -> schema_pb2.Schema:
        schema = schema_pb2.Schema(feature=[schema_pb2.Feature(name="a", domain="a")])
        schema.string_domain.add(name="a", value=[f"v{number:03}" for number in range(100)] + [last])
        return schema

    expected = ["a, values: only in the first: 'x'", "a, values: only in the second: 'y'"]
    assert differences(many("x"), many("y")) == expected
