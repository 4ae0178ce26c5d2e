import json
import subprocess
import sys

import pytest
from pydantic import ValidationError

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings


def corpus(**values: object) -> CorpusSettings:
    return CorpusSettings.model_validate({"format": "csv", "path": "a.csv", **values})


@pytest.mark.parametrize(
    ("given", "labels", "classes"),
    [
        ({0: "negative", 1: "positive"}, {"0": "negative", "1": "positive"}, ("negative", "positive")),
        ({"4": "good", "1": "bad", "5": "good"}, {"4": "good", "1": "bad", "5": "good"}, ("good", "bad")),
        (["pos", "neg"], {"pos": "pos", "neg": "neg"}, ("pos", "neg")),
        ([1, 0], {"1": "1", "0": "0"}, ("1", "0")),
        ({True: "yes", False: "no"}, {"true": "yes", "false": "no"}, ("yes", "no")),
    ],
)
def test_labels_become_a_mapping_in_the_order_of_the_classes(
    given: object, labels: dict[str, str], classes: tuple[str, ...]
) -> None:
    settings = corpus(label="label", labels=given)
    assert list(settings.labels.items()) == list(labels.items())
    assert settings.class_names == classes


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": "l", "labels": {"a": "x", "b": "x"}}, "at least two classes are needed, found ['x']"),
        ({"label": "l", "labels": ["a", "b", "a"]}, "the label 'a' is listed more than once"),
        ({"label": "l", "labels": {1: "a", "1": "b"}}, "the label '1' is listed more than once"),
        ({"label": "l", "labels": {"a": "", "b": "x"}}, "a label must not be empty"),
        ({"label": "l", "labels": "a,b"}, "valid dictionary"),
        ({"labels": ["a", "b"]}, "labels needs label"),
        ({"delimiter": '"'}, "cannot separate columns"),
        ({"delimiter": ",,"}, "at most 1 character"),
        ({"format": "jsonl", "delimiter": ";"}, "delimiter belongs to format csv, conll, found format jsonl"),
        ({"label": "text"}, "text and label are the same column: text"),
        ({"format": "xml"}, "'csv', 'tsv', 'jsonl'"),
        ({"max_bad_fraction": 1.5}, "less than or equal to 1"),
        ({"path": ""}, "at least 1 character"),
        ({"txt": "text"}, "Extra inputs are not permitted"),
    ],
)
def test_impossible_settings_are_refused(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        corpus(**values)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [corpus(label="label", labels={0: "n", 1: "p"}, delimiter="\t"), corpus(format="jsonl", id="key", source="from")],
)
def test_settings_survive_json(settings: CorpusSettings) -> None:
    read = CorpusSettings.model_validate_json(settings.model_dump_json())
    assert read == settings
    assert read.class_names == settings.class_names


def test_splits_keep_their_order_and_default_to_80_10_10() -> None:
    assert SplitSettings().weights == {"train": 8, "eval": 1, "test": 1}
    read = SplitSettings.model_validate_json(SplitSettings({"eval": 1, "train": 3}).model_dump_json())
    assert list(read.weights.items()) == [("eval", 1), ("train", 3)]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"train": 1}, "the split eval is missing, found train"),
        ({}, "the split train and eval is missing, found none"),
        ({"train": 1, "eval": 0}, "greater than 0"),
        ({"train": 1, "eval": 1, "a/b": 1}, "found 'a/b'"),
    ],
)
def test_impossible_splits_are_refused(weights: dict[str, int], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        SplitSettings.model_validate(weights)
    assert message in str(error.value)


def test_every_key_of_the_json_schema_is_described() -> None:
    schema = CorpusSettings.model_json_schema()
    assert [name for name, entry in schema["properties"].items() if "description" not in entry] == []
    assert {"type": "array", "items": {"anyOf": [{"type": kind} for kind in ("string", "integer", "boolean")]}} in (
        schema["properties"]["labels"]["anyOf"]
    )
    assert "description" in SplitSettings.model_json_schema()


def test_settings_import_no_framework() -> None:
    code = (
        "import json, sys, components.corpus_example_gen.settings;"
        "print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert {"tensorflow", "apache_beam", "tfx"}.isdisjoint(json.loads(done.stdout))
