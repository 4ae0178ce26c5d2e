"""Every number of a job has bounds, and every wrong value gets a message in plain words."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.tasks import loading
from trainer.errors import JobError

SCHEMA = loading.json_schema()
JOBS = {
    "classifier": {"corpus": {"format": "csv", "path": "x", "label": "l"}},
    "dataset": {"corpus": {"format": "csv", "path": "x"}},
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {"corpus": {"format": "csv", "path": "x"}},
}
KEY = "entry"
WRONG = [-1, 0, 10**18, 10**400, 1.5, -1e300, True, None, "", "x", [], [None], [[1]], [{"a": 1}], {}, {"a": None}]
WRONG += [{"a": {"b": []}}, {"": 1}, {"train": 1}]
OF_PYTHON = re.compile(
    r"\b(pydantic|str|int|dict|tuple|union|NoneType|function|constrained|literal|None|True|False)\b|_type\b|_parsing"
    r"|Input should|Value error|\[(type|key)|'\]"
)


def nodes(node: Any) -> Iterator[tuple[dict[str, Any], bool]]:
    """All nodes of the schema, and whether they are an alternative to text, as a number in a list of labels is."""
    if isinstance(node, list):
        text = any(isinstance(one, dict) and one.get("type") == "string" for one in node)
        for one in node:
            yield from ((inner, (text and inner is one) or other) for inner, other in nodes(one))
    elif isinstance(node, dict):
        yield node, False
        for inner in node.values():
            yield from nodes(inner)


def keys(node: dict[str, Any], path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths of all keys below a node of the schema."""
    for form in (node, *node.get("anyOf", ())):
        target = SCHEMA["$defs"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form
        inner = dict(target.get("properties", {}))
        if isinstance(target.get("additionalProperties"), dict):
            inner[KEY] = target["additionalProperties"]
        for key, value in inner.items():
            yield (*path, key)
            yield from keys(value, (*path, key))
        if target is not form:
            yield from keys({"anyOf": target.get("anyOf", [])}, path)


def test_every_number_has_a_lower_and_an_upper_bound():
    numbers = [node for node, text in nodes(SCHEMA) if node.get("type") in {"integer", "number"} and not text]
    assert len(numbers) > 80
    for node in numbers:
        assert node.keys() & {"minimum", "exclusiveMinimum"}, node
        assert node.keys() & {"maximum", "exclusiveMaximum"}, node


@pytest.mark.parametrize("task", JOBS)
def test_a_wrong_value_of_any_key_is_reported_in_plain_words(task, tmp_path):
    path, errors = tmp_path / "job.yaml", 0
    for keypath in dict.fromkeys(keys({"$ref": SCHEMA["discriminator"]["mapping"][task]})):
        for value in WRONG:
            job = json.loads(json.dumps({"name": "job", "task": task, **JOBS[task]}))
            section = job
            for key in keypath[:-1]:
                if not isinstance(section.get(key), dict):
                    section[key] = {}
                section = section[key]
            section[keypath[-1]] = value
            path.write_text(json.dumps(job))
            try:
                loading.load(path)
            except JobError as error:
                errors += 1
                message = str(error)
                assert not OF_PYTHON.search(message), message
                assert "where: " in message
                assert any(part in message for part in ("expected: ", "found: ", "found ", "fix: ")), message
    assert errors > 100
