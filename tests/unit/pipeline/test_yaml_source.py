"""Properties of the YAML reader."""

import json
import math

import ruamel.yaml
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config import source as yaml_source
from trainer.errors import JobError

words = st.text(st.characters(exclude_categories=["Cs"]))
keys = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)  # YAML's own limit is 1,024 with escapes
plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=10,
)


@given(st.dictionaries(keys, plain, min_size=1, max_size=3))
def test_json_is_read_as_json(tmp_path_factory, data):
    # JSON is valid YAML with an independent reader.
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(json.dumps(data), encoding="utf-8")
    source = yaml_source.read(path)
    assert source.problems == []
    assert source.data == data


@given(words)
def test_no_text_breaks_the_reader(tmp_path_factory, text):
    path = tmp_path_factory.getbasetemp() / "text.yaml"
    path.write_text(text, encoding="utf-8")
    try:
        place = yaml_source.read(path).where(())
    except JobError as error:
        place = error.where
    assert place is not None
    assert place.startswith(str(path))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_floats_survive_the_yaml_dumper(tmp_path_factory, value):
    path = tmp_path_factory.getbasetemp() / "float.yaml"
    ruamel.yaml.YAML(typ="safe", pure=True).dump({"x": value}, path)
    read = yaml_source.read(path).data["x"]
    assert isinstance(read, float)
    assert math.copysign(1, read) == math.copysign(1, value)
    assert read == value
