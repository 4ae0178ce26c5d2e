import bz2
import gzip
import lzma
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from components.corpus_example_gen.inputs import files
from trainer.errors import JobError


def test_files_are_matched_and_fingerprinted(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("text\nb\n")
    (tmp_path / "a.csv").write_text("text\na\n")
    (tmp_path / "c.txt").write_text("c")
    found = files.require_files(f"{tmp_path}/*.csv")
    assert [(Path(file.path).name, file.size) for file in found] == [("a.csv", 7), ("b.csv", 7)]
    before = files.fingerprint(found)
    assert files.fingerprint(files.match_files(f"{tmp_path}/*.csv")) == before
    (tmp_path / "b.csv").rename(tmp_path / "d.csv")
    assert files.fingerprint(files.match_files(f"{tmp_path}/*.csv")) != before


def test_no_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="No file of the corpus was found") as error:
        files.require_files(f"{tmp_path}/*.csv")
    assert f"{tmp_path}/*.csv" in str(error.value)
    with pytest.raises(JobError, match="The corpus is a folder"):
        files.require_files(str(tmp_path))
    with pytest.raises(JobError, match="cannot be looked up"):
        files.require_files("nowhere://bucket/a.csv")


def test_fingerprint_sees_a_change_within_the_same_second(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("text\na\n")
    os.utime(file, ns=(10**18, 10**18))
    before = files.fingerprint(files.match_files(str(file)))
    os.utime(file, ns=(10**18, 10**18 + 10**6))
    assert files.fingerprint(files.match_files(str(file))) != before


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [
        ("gz", gzip.compress),
        ("bz2", bz2.compress),
        ("xz", lzma.compress),
        ("zst", zstandard.compress),
        ("ZSTD", lambda content: b"".join(zstandard.compress(part) for part in (content[:9], b"", content[9:]))),
    ],
)
def test_compressed_files_are_read_and_torn_ones_are_told(
    tmp_path: Path, suffix: str, compress: Callable[[bytes], bytes]
) -> None:
    content = "".join(f"line {number}\n" for number in range(1000)).encode()
    file = tmp_path / f"a.csv.{suffix}"
    file.write_bytes(compress(content))
    with files.open_file(str(file)) as opened:
        assert opened.read() == content
    for broken in (compress(content)[:-20], b"no archive at all"):
        file.write_bytes(broken)
        with (
            pytest.raises(JobError, match="A file of the corpus cannot be read") as error,
            files.open_file(str(file)) as opened,
        ):
            opened.read()
        assert str(file) in str(error.value)


def test_a_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match=r"(?s)cannot be read.*a folder.*Name the files"), files.open_file(str(tmp_path)):
        pass


def test_bytes_are_counted_up_to_a_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"a\nb\n\nc\n")
    monkeypatch.setattr(files, "_CHUNK_BYTES", 3)
    assert [files.count_bytes(str(file), b"\n", stop) for stop in (0, 1, 2, 5, 7, 100)] == [0, 0, 1, 3, 4, 4]


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(JobError, match="FileNotFoundError"), files.open_file(str(tmp_path / "none.csv")):
        pass
