import struct
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.corpus_example_gen.writing.spill import Segment, Spill, buffer_bytes, read, read_bytes, tagged, untagged

ENTRY = np.dtype([("number", ">u4"), ("length", ">u4")])


def entry(number: int, payload: bytes) -> bytes:
    return struct.pack(">II", number, len(payload))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(tmp_path_factory.mktemp("spill"))


@settings(deadline=None, max_examples=50)
@given(st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=20), st.booleans())))
def test_every_record_is_read_back_under_its_key(folder: str, records: list[tuple[int, bytes, bool]]) -> None:
    segments: dict[int, list[Segment]] = defaultdict(list)
    expected: dict[int, list[tuple[int, bytes]]] = defaultdict(list)
    with Spill(folder) as spill:
        for number, (key, payload, flush) in enumerate(records):
            spill.add(("kind", key), entry(number, payload), payload)
            expected[key].append((number, payload))
            if flush:
                for (_, key_), segment in spill.flush():
                    segments[key_].append(segment)
        for (_, key_), segment in spill.flush():
            segments[key_].append(segment)
    assert segments.keys() == expected.keys()
    for key, wanted in expected.items():
        entries, payloads = read(reversed(segments[key]), ENTRY)
        assert entries["number"].tolist() == [number for number, _ in wanted]
        assert payloads == b"".join(payload for _, payload in wanted)
        assert entries.tobytes() == b"".join(entry(*record) for record in wanted)
        assert sum(segment.count for segment in segments[key]) == len(wanted)


def test_an_empty_spill_writes_no_file(tmp_path: Path) -> None:
    with Spill(str(tmp_path / "spill")) as spill:
        assert list(spill.flush()) == []
    assert not (tmp_path / "spill").exists()
    entries, payloads = read([], ENTRY)
    assert (len(entries), entries.dtype, payloads) == (0, ENTRY, b"")


def test_a_spill_is_full_at_its_limit(tmp_path: Path) -> None:
    with Spill(str(tmp_path), 10) as spill:
        spill.add(("a",), b"1234", b"567")
        assert not spill.full
        spill.add(("b",), b"890")
        assert spill.full
        segments = [segment for _, segment in spill.flush()]
        assert not spill.full
    assert [read_bytes(segment) for segment in segments] == [b"1234567", b"890"]
    assert [buffer_bytes(keys) >> 20 for keys in (1, 64, 256, 10_000)] == [4, 4, 16, 128]


def test_a_truncated_file_is_an_error(tmp_path: Path) -> None:
    segments = []
    for _ in range(2):
        with Spill(str(tmp_path)) as spill:
            spill.add(("a",), entry(0, b"payload"), b"payload")
            segments += [segment for _, segment in spill.flush()]
    segment, other = segments
    assert segment.path != other.path
    path = Path(segment.path)
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(OSError, match="is truncated"):
        read([segment], ENTRY)


def test_segments_pass_through_beam_as_tagged_tuples() -> None:
    segment = Segment("/f", 1, 2, 3)
    (output,) = tagged([(("kind", "train", 4), segment)])
    assert (output.tag, output.value) == ("kind", (("train", 4), ("kind", "/f", 1, 2, 3)))
    assert untagged([output.value[1], ("other", "/g", 0, 0, 0)], "kind") == [segment]
