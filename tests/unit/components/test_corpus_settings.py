import pytest
from pydantic import ValidationError

from components.corpus_example_gen.settings import CorpusSettings, SplitSettings
from tests.unit.components import corpus_records


def corpus(**values: object) -> CorpusSettings:
    return corpus_records.corpus(**{"format": "csv", **values})


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ({0: "negative", 1: "positive"}, {"0": "negative", "1": "positive"}),
        ({"4": "good", "1": "bad", "5": "good"}, {"4": "good", "1": "bad", "5": "good"}),
        (["pos", "neg"], {"pos": "pos", "neg": "neg"}),
        ([1, 0], {"1": "1", "0": "0"}),
        ({True: "yes", False: "no"}, {"true": "yes", "false": "no"}),
    ],
)
def test_labels_become_a_mapping_in_the_order_of_the_classes(given: object, labels: dict[str, str]) -> None:
    settings = corpus(label="label", labels=given)
    assert list(settings.labels.items()) == list(labels.items())
    assert settings.class_names == tuple(labels.values())[:2]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"label": "l", "labels": {"a": "x", "b": "x"}}, "at least two classes, found x"),
        ({"label": "l", "labels": ["a", "b", "a"]}, "'a' is listed more than once"),
        ({"label": "l", "labels": {1: "a", "1": "b"}}, "'1' is listed more than once"),
        ({"label": "l", "labels": {"a": "", "b": "x"}}, "a label is empty"),
        ({"label": "l", "labels": "a,b"}, "valid dictionary"),
        ({"labels": ["a", "b"]}, "labels needs label"),
        ({"delimiter": '"'}, "cannot separate columns"),
        ({"delimiter": ",,"}, "at most 1 character"),
        ({"format": "jsonl", "delimiter": ";"}, "delimiter does not apply to format jsonl"),
        ({"label": "text"}, "cannot be both text and label. where: label found: text"),
        ({"format": "xml"}, "'csv', 'tsv', 'jsonl'"),
        ({"format": "tsv", "delimiter": ","}, "delimiter does not apply to format tsv"),
        ({"document": "line"}, "document does not apply to format csv"),
        ({"columns": {}}, "columns does not apply to format csv"),
        ({"format": "conll", "columns": {"token": 0}}, "A column number cannot be 0"),
        ({"format": "conll", "columns": {"tag": 1}}, "both the token and the tag. where: tag found: column"),
        *(
            ({"format": "text", key: "x"}, f"{key} does not apply to format")
            for key in ("text", "source", "id", "split")
        ),
        *(({"format": "conll", key: "line"}, f"{key} does not apply to format") for key in ("label", "segment")),
        ({"format": "text", "segment": "line"}, "expected: document paragraph or file"),
        ({"format": "text", "document": "paragraph", "segment": "paragraph"}, "expected: document file"),
        ({"format": "parquet", "encoding": "latin-1"}, "encoding does not apply to format"),
        *(({"encoding": name}, f"Python has no text encoding '{name}'") for name in ("utf-99", "base64")),
        ({"encoding": "punycode"}, "punycode is not an encoding of text files"),
        ({"encoding_errors": "ignore"}, "'quarantine' or 'replace'"),
        ({"split_values": {"a": "b"}}, "split_values needs split"),
        ({"split": "s", "split_values": {"a": "b/c"}}, "found 'b/c'"),
        ({"split": "text"}, "cannot be both text and split"),
        ({"split": "s", "path": {"train": "a", "eval": "b"}}, "The splits cannot have two definitions. where: split"),
        ({"path": {}}, "no split has a path"),
        ({"path": {"a/b": "x"}}, "found 'a/b'"),
        ({"path": {"train": "a-{SPAN}", "eval": "b"}}, "all paths must have the same placeholders: {SPAN}"),
        ({"path": "{YYYY}/{MM}/a.csv"}, "a date in the path needs {YYYY}, {MM}, {DD}, found {YYYY}, {MM}"),
        ({"path": "{SPAN}/{YYYY}{MM}{DD}"}, "a path cannot have both {SPAN} and {YYYY}{MM}{DD}"),
        ({"path": "{SPAN}{VERSION}.csv"}, "expected a character between two numbers, or a width like {SPAN:3}, found"),
        ({"path": "{SPAN:x}.csv"}, "expected a width like {SPAN:3}, found {SPAN:x}"),
        ({"path": "{VERSION}/a.csv"}, "{VERSION} in the path needs {SPAN}"),
        ({"rolling": 7}, "rolling needs a span in path. where: rolling expected: {SPAN} or {YYYY}{MM}{DD} in path"),
        ({"span": 0}, "span needs a span in path. where: span"),
        ({"path": "{SPAN}/a.csv", "span": -1}, "greater than or equal to 0"),
        ({"path": "{SPAN}/a.csv", "rolling": 0}, "greater than 0"),
        ({"max_bad_fraction": 1.5}, "less than or equal to 1"),
        ({"path": ""}, "at least 1 character"),
        ({"path": []}, "at least 1 item"),
        ({"path": ["a", ""]}, "at least 1 character"),
        ({"path": ["a-{SPAN}", "b"]}, "all paths must have the same placeholders: {SPAN}"),
        ({"split": "s", "path": {"train": ["a", "b"], "eval": "c"}}, "The splits cannot have two definitions."),
        ({"txt": "text"}, "Extra inputs are not permitted"),
        ({"multi_label": True}, "multi_label needs label"),
        ({"label": "l", "label_separator": "|"}, "label_separator needs multi_label"),
        ({"label": "l", "multi_label": True, "label_separator": ""}, "at least 1 character"),
        ({"format": "text", "weight": "w"}, "weight does not apply to format text"),
        ({"format": "text", "label": "l"}, "Format text has no labels but the names of folders. where: label"),
        ({"format": "conll", "label": "folder"}, "label does not apply to format conll"),
        *(({"format": "fasttext", key: "x"}, f"{key} does not apply to format") for key in ("label", "text", "id")),
        (
            {"format": "fasttext", "multi_label": True, "label_separator": ";"},
            "label_separator does not apply to format",
        ),
        ({"text": ["a", "b"], "source": "b"}, "cannot be both text and source. where: source found: b"),
        *(({"text": columns}, "expected distinct columns") for columns in ([], ["a", "a"])),
        ({"format": "jsonl", "records": "data"}, "records does not apply to format jsonl"),
        ({"format": "jsonl", "short_rows": True}, "short_rows does not apply to format jsonl"),
        ({"tag": "t"}, "tag does not apply to format csv"),
    ],
)
def test_invalid_settings_are_errors(values: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as error:
        corpus(**values)
    assert message in str(error.value)


@pytest.mark.parametrize(
    "settings",
    [
        corpus(label="label", labels={0: "n", 1: "p"}, delimiter="\t", id="key", dedupe=True),
        corpus(path={"train": "a-{SPAN}", "eval": "b-{SPAN}"}, span=3, rolling=2, encoding="cp1252"),
        corpus(path="{YYYY}-{MM}-{DD}.csv", span="latest", split="s", split_values={"dev": "eval"}),
        corpus(format="conll", delimiter="\t", columns={"token": 2, "comment": "#"}, encoding_errors="replace"),
        corpus(format="text", document="file", segment="paragraph"),
        corpus(format="text", document="file", label="folder"),
        corpus(format="json", text=["a", 2], records="data.items", tokens="w", tag="t", tags=["O", 1]),
    ],
)
def test_settings_survive_json(settings: CorpusSettings) -> None:
    read = CorpusSettings.model_validate_json(settings.model_dump_json())
    assert read == settings
    assert read.class_names == settings.class_names


def test_the_kind_of_corpus() -> None:
    for values, kind in (
        ({}, "text"),
        ({"label": "l"}, "labelled_text"),
        ({"format": "text"}, "text"),
        ({"format": "tf_sequence_example", "label": "l"}, "labelled_text"),
        ({"format": "conll"}, "tagged_text"),
        ({"format": "parquet", "tag": "ner"}, "tagged_text"),
        ({"format": "text", "label": "folder"}, "labelled_text"),
        ({"format": "fasttext"}, "labelled_text"),
        ({"format": "fasttext", "multi_label": True, "labels": ["a", "b"]}, "multi_labelled_text"),
        ({"label": "l", "multi_label": True, "labels": {"d": "drama", "c": "comedy"}}, "multi_labelled_text"),
    ):
        assert corpus(**values).kind.name == kind


def test_values_of_the_split_column() -> None:
    assert corpus().split_names == {}
    assert corpus(split="s").split_names == {"train": "train", "eval": "eval", "test": "test"}
    names = corpus(split="s", split_values={"validation": "eval", 3: "extra"}).split_names
    usual = {name: name for name in ("train", "eval", "test", "extra")}
    assert names == {**usual, "validation": "eval", "3": "extra"}


def test_spans_and_encodings() -> None:
    for path in ("{SPAN}/a", "{YYYY}{MM}{DD}", {"train": "x{SPAN}"}):
        assert corpus(path=path).has_span
    assert not corpus(path="a.csv").has_span
    assert [corpus(encoding=name).encoding for name in ("UTF8", "utf_8_sig", "cp1252")] == ["utf-8", "utf-8", "cp1252"]


def test_splits_keep_their_order_and_default_to_80_10_10() -> None:
    assert SplitSettings().weights == {"train": 8, "eval": 1, "test": 1}
    read = SplitSettings.model_validate_json(SplitSettings({"eval": 1, "train": 3}).model_dump_json())
    assert list(read.weights.items()) == [("eval", 1), ("train", 3)]


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ({"train": 1, "eval": 0}, "greater than 0"),
        ({"train": 1, "eval": 1, "a/b": 1}, "found 'a/b'"),
    ],
)
def test_invalid_splits_are_errors(weights: dict[str, int], message: str) -> None:
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
