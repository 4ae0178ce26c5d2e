"""No job crashes its check: it is valid, or an error names what is wrong."""

import json
from pathlib import Path

import hypothesis.strategies as st
from hypothesis import example, given, settings
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.config.source import read

CONFIGS = [path.read_text(encoding="utf-8") for path in sorted(Path("configs").glob("*.yaml"))]
PIECES = st.sampled_from(["\n", "  ", "\t", ": ", "- ", "[", "]", "{", "}", "&a ", "*a", "!!int ", "!x ", "|\n", "#"])
PIECES |= st.sampled_from(
    ["'", '"', "\\", "null", "~", "1e999", "0x1F", "1_0", "<<: ", "? ", "---\n", "%", "\x00", "\x85"]
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner))


def check(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    result = CliRunner().invoke(app.app, ["config", "check", str(path)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code in (0, 2)
    assert (result.exit_code == 2) == bool(result.stderr)


@settings(max_examples=150)
@given(st.data())
def test_edited_text_is_checked_without_a_crash(tmp_path_factory, data):
    text = data.draw(st.sampled_from(CONFIGS))
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(text)))
        end = start + data.draw(st.integers(0, 12))
        text = text[:start] + data.draw(PIECES | st.text(max_size=3)) + text[end:]
    check(tmp_path_factory.getbasetemp() / "edited.yaml", text.encode("utf-8", "surrogatepass"))


@settings(max_examples=200)
@given(st.data())
def test_any_value_of_any_key_is_checked_without_a_crash(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    (folder / "value.yaml").write_text(data.draw(st.sampled_from(CONFIGS)), encoding="utf-8")
    section = job = read(folder / "value.yaml").data
    while True:
        key = data.draw(st.sampled_from(sorted(section)) if section else st.text(max_size=4))
        if not isinstance(section.get(key), dict) or data.draw(st.booleans()):
            break
        section = section[key]
    section[key] = data.draw(VALUES)
    check(folder / "value.yaml", json.dumps(job).encode())


@given(st.binary(max_size=60))
@example(b"\xef\xbb\xbf")
def test_any_bytes_are_checked_without_a_crash(tmp_path_factory, content):
    check(tmp_path_factory.getbasetemp() / "bytes.yaml", content)
