"""Detects how to read a corpus from the start of its files."""

from __future__ import annotations

import io
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from components.corpus_example_gen.detection import encodings, other_content, table_dialect, token_columns
from components.corpus_example_gen.detection.column_names import KNOWN
from components.corpus_example_gen.detection.guess import Guess, Sample, Wanted, require_column, words_of
from components.corpus_example_gen.detection.profiles import profiles_of
from components.corpus_example_gen.detection.roles import set_roles
from components.corpus_example_gen.detection.tagged_lists import set_tags
from components.corpus_example_gen.format_keys import suffix_of
from components.corpus_example_gen.inputs.files import open_file
from components.corpus_example_gen.readers import json_reader, parquet_reader, tfrecord_reader
from components.corpus_example_gen.settings import CorpusSettings
from trainer.errors import JobError

PROFILE_RECORDS = 20_000
"""Records that columns are chosen by."""
_PARQUET = b"PAR1"
_TOKENS = "tokens"
_TRANSFORMED = {"id", "source", "length", _TOKENS}
"""Features that all transformed examples have."""
_FASTTEXT = re.compile(r"(?:\A|\s)__label__\S")
_BLANK_SHARE = 0.05
_MAX_LINES = 5_000


def detect(sample: Sample, wanted: Wanted) -> Guess:
    """Returns how to read the files of a corpus, all but their path.

    Args:
        sample: The start of one of its files that is not empty.
        wanted: The columns that the user has named.

    Raises:
        JobError: If the file is no corpus, has no known format, or lacks a named column or any texts.
    """
    if sample.data.startswith(_PARQUET):
        with open_file(sample.path) as file:
            rows = list(itertools.islice(parquet_reader.read_all_columns(file, sample.path), PROFILE_RECORDS))
        return _of_records("parquet", rows, wanted, sample)
    if tfrecord_reader.starts_with_record(sample.data):
        return _tfrecords(sample, wanted)
    other_content.reject(sample)
    encoding = encodings.encoding_of(sample)
    text = encodings.decode(sample, encoding.name)
    if not text.strip():
        raise JobError(
            "The corpus is empty.", where=sample.path, found="white space only", expected="records with texts"
        )
    guess = _of_text(sample, text, wanted)
    _set_encoding(guess, encoding)
    return guess


def detect_plain_text(sample: Sample) -> Guess:
    """Returns how to read files that are known to be plain text.

    Raises:
        JobError: If the file is not text.
    """
    encoding = encodings.encoding_of(sample)
    guess = _lines(encodings.decode(sample, encoding.name))
    _set_encoding(guess, encoding)
    return guess


def _set_encoding(guess: Guess, encoding: encodings.FoundEncoding) -> None:
    if encoding.name != "utf-8":
        guess.set("encoding", encoding.name, encoding.reason)
    elif encoding.reason:
        guess.remarks.append(f"The files are not quite UTF-8: {encoding.reason}.")


def _of_text(sample: Sample, text: str, wanted: Wanted) -> Guess:
    suffix = suffix_of(sample.path).lower()
    if text.lstrip()[0] in "[{" and (found := _json(sample, text, wanted)):
        return found
    is_table = suffix in (".csv", ".tsv")
    guess = None if is_table else _fasttext(text)
    if guess is None and not is_table:
        is_conllu = token_columns.is_conllu(text)
        guess = (
            token_columns.conllu(text)
            if is_conllu
            else token_columns.conll(text, suffix, is_complete=sample.is_complete)
        )
    if guess is not None:
        _require_no_columns(wanted, guess, sample.path)
        return guess
    dialect = table_dialect.dialect_of(text, suffix)
    if dialect is not None:
        return _table(sample, text, dialect, wanted)
    guess = _lines(text)
    _require_no_columns(wanted, guess, sample.path)
    return guess


def _require_no_columns(wanted: Wanted, guess: Guess, path: str) -> None:
    for option, name in (("--text", wanted.text), ("--label", wanted.label)):
        if name:
            require_column(option, name, [], f"{path}, which is read as format {guess.values['format']}")


def _table(sample: Sample, text: str, guess: Guess, wanted: Wanted) -> Guess:
    rows = table_dialect.rows_of(text, guess, PROFILE_RECORDS + 1)
    names = table_dialect.set_header(guess, rows) if rows else []
    data = rows if guess.values.get("header") is False else rows[1:]
    if not data:
        found = "a header row only" if rows else "no row that can be read"
        raise JobError("The corpus has no records.", where=sample.path, found=found, expected="rows below a header row")
    repeated = sorted({name for name in names if name and names.count(name) > 1})
    if KNOWN.intersection(word for name in repeated for word in words_of(name)):
        found, fix = ", ".join(map(repr, names)), "give each column a name of its own"
        raise JobError("The header row has a name twice.", where=sample.path, found=found, fix=fix)
    unique = [name if names.count(name) == 1 else "" for name in names]
    records = [dict(zip(unique, row, strict=False)) for row in data if len(row) <= len(names)]
    is_complete = sample.is_complete and len(rows) <= PROFILE_RECORDS
    set_roles(guess, profiles_of(records), wanted, sample.path, is_complete=is_complete)
    return guess


def _json(sample: Sample, text: str, wanted: Wanted) -> Guess | None:
    """Returns how to read a file of JSON objects or lists, or None if it holds neither."""
    lines = [line for line in text.splitlines() if line.strip()]
    if text.lstrip().startswith("{"):
        objects = list(_objects(lines))
        holds_array = len(lines) == 1 and bool(objects) and json_reader.find_array(text) is not None
        if len(objects) > min(len(lines), PROFILE_RECORDS) / 2 and not holds_array:
            return _of_records("jsonl", objects, wanted, sample)
    records = json_reader.find_array(text)
    if records is None:
        return None
    values = {"format": "json", "path": "x", **({"records": records} if records else {})}
    settings = CorpusSettings.model_validate(values)
    elements = json_reader.read_values(io.BytesIO(text.encode("utf-8", "replace")), sample.path, settings)
    objects = [one for one in itertools.islice(elements, PROFILE_RECORDS) if isinstance(one, dict)]
    return _of_records("json", objects, wanted, sample, records)


def _parsed(line: str) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _objects(lines: Iterable[str]) -> Iterator[dict[str, Any]]:
    for line in itertools.islice(lines, PROFILE_RECORDS):
        if isinstance(value := _parsed(line), dict):
            yield value


def _of_records(format_: str, records: list[Any], wanted: Wanted, sample: Sample, key: str | None = None) -> Guess:
    """Returns how to read records with named values."""
    guess = Guess()
    guess.set("format", format_, {"jsonl": "an object per line", "json": "an array of objects"}.get(format_, ""))
    if key:
        guess.set("records", key, "the key of the array")
    profiles = profiles_of(records)
    if wanted == Wanted() and set_tags(guess, profiles):
        return guess
    is_complete = sample.is_complete and len(records) < PROFILE_RECORDS
    set_roles(guess, profiles, wanted, sample.path, is_complete=is_complete)
    return guess


def _tfrecords(sample: Sample, wanted: Wanted) -> Guess:
    found: dict[str, list[Mapping[str, list[Any]]]] = {}
    for format_ in ("tf_sequence_example", "tf_example"):
        settings = CorpusSettings.model_validate({"format": format_, "path": "x"})
        with open_file(sample.path) as file:
            features = tfrecord_reader.read_features(file, sample.path, settings)
            found[format_] = list(itertools.islice(features, PROFILE_RECORDS))
    # The context of a SequenceExample has the place of the features of an Example, which knows no lists.
    examples = {format_: {name for record in records for name in record} for format_, records in found.items()}
    format_ = max(examples, key=lambda name: len(examples[name]))
    if not examples[format_]:
        fix = "write tf.train.Example or tf.train.SequenceExample records"
        raise JobError("The TFRecords hold no examples.", where=sample.path, found="records of another kind", fix=fix)
    if examples[format_] >= _TRANSFORMED and all(isinstance(one, int) for one in found[format_][0][_TOKENS]):
        raise JobError(
            "The TFRecords hold transformed examples.",
            where=sample.path,
            found="ids of tokens instead of texts",
            expected="records with texts",
            fix="name the corpus that they were made of",
        )
    if len(examples["tf_sequence_example"]) == len(examples["tf_example"]):
        format_ = "tf_example"
    lists = {name for record in found[format_] for name, values in record.items() if len(values) > 1}
    records = [
        {name: values if name in lists else next(iter(values), None) for name, values in record.items()}
        for record in found[format_]
    ]
    return _of_records(format_, records, wanted, sample)


def _fasttext(text: str) -> Guess | None:
    lines = [line for line in text.splitlines()[:_MAX_LINES] if line.strip()]
    counts = [len(_FASTTEXT.findall(line)) for line in lines]
    if sum(count > 0 for count in counts) <= len(lines) / 2:
        return None
    guess = Guess()
    guess.set("format", "fasttext", "words that start with __label__ are labels")
    if max(counts) > 1:
        guess.set("multi_label", True, f"{sum(count > 1 for count in counts):,} lines have several labels")
    return guess


def _lines(text: str) -> Guess:
    """Returns how to read plain text, by lines or by paragraphs."""
    guess = Guess()
    guess.set("format", "text", "neither a table nor JSON nor tagged sentences")
    lines = text.splitlines()[:_MAX_LINES]
    blank = sum(not line.strip() for line in lines)
    blocks = sum(
        bool(line.strip()) and (number == 0 or not lines[number - 1].strip()) for number, line in enumerate(lines)
    )
    if blank >= _BLANK_SHARE * len(lines) and len(lines) - blank > 1.5 * blocks > 3:
        guess.set("document", "paragraph", "blank lines separate paragraphs of several lines")
    else:
        guess.set("document", "line", "or paragraph, or file")
    return guess
