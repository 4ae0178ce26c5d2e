import bz2
import contextlib
import glob
import gzip
import io
import lzma
import os
import shutil
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import zstandard
from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from google.api_core.exceptions import NotFound
from hypothesis import strategies as st

from components.corpus_example_gen.inputs import decompression, files, patterns
from trainer.errors import JobError


def names(pattern: str) -> list[str]:
    return [file.path.removeprefix("/").rpartition("/")[2] for file in files.match_files(pattern)]


def test_matching_files_are_sorted_and_have_their_size(tmp_path: Path) -> None:
    (tmp_path / "b.csv").write_text("text\nb\n")
    (tmp_path / "a.csv").write_text("text\na\n")
    (tmp_path / "c.txt").write_text("c")
    (tmp_path / "folder.csv").mkdir()
    found = files.require_files(f"{tmp_path}/*.csv")
    assert [(Path(file.path).name, file.size) for file in found] == [("a.csv", 7), ("b.csv", 7)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("*", ["part-0", "part-1.csv"]),
        ("*/*", ["x", "y"]),
        ("*/*.csv", []),
        ("_*", ["_SUCCESS", "_x.csv"]),
        (".*", [".part-0.crc"]),
        ("[._]*", []),
        ("_SUCCESS", ["_SUCCESS"]),
        ("_temporary/*", ["part-2"]),
        ("_temp*/*", ["part-2"]),
        (".git/config", ["config"]),
        ("*/part*", []),
        ("../*/part-?", ["part-0"]),
    ],
)
def test_hidden_names_are_left_out_unless_the_pattern_names_them(tmp_path: Path, pattern, expected) -> None:
    folder = tmp_path / "out"
    for name in ("part-0", "part-1.csv", "_SUCCESS", "_x.csv", ".part-0.crc", "_temporary/part-2", ".git/config"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    for name in ("sub/x", "sub/_y", "tub/y", "tub/.z"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert names(f"{folder}/{pattern}") == expected


_TREE = ("a", "ab", "_a", ".a", "[a]", "a/b", "a/_b", "_d/b", "_d/.b", ".d/a", "b/a/b", "b/_a/b", "b/a/a*", "*")
_PARTS = st.sampled_from(
    ["*", "a", "b", "?", "[ab]", "[!b]*", "a*", "_*", ".*", "[[]a]", "_d", "*b*", "[*]", "..", "_?"]
)


@pytest.fixture(scope="module")
def tree(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("tree") / "base"
    for number, name in enumerate(_TREE):
        path = folder / str(number) / name
        path.parent.mkdir(parents=True)
        path.touch()
    return folder


@hypothesis.given(st.lists(_PARTS, min_size=1, max_size=4), st.integers(0, len(_TREE) - 1))
def test_matches_are_those_of_the_standard_library_without_hidden_names(tree, parts, number):
    base = tree / str(number)
    shown = []
    for match in glob.glob("/".join(parts), root_dir=base):  # noqa: PTH207 - another implementation
        pairs = zip(match.split("/"), parts, strict=True)
        if not any(name.startswith("_") and not part.startswith("_") for name, part in pairs):
            shown.append(f"{base}/{match}")
    expected = sorted(path for path in shown if not Path(path).is_dir())
    assert sorted(patterns.local_files(f"{base}/{'/'.join(parts)}")) == expected


def test_hidden_names_of_other_filesystems_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    from apache_beam.io.filesystem import FileMetadata, FileSystem, MatchResult

    class Memory(FileSystem):
        """A filesystem of fixed names, of which all match."""

        @classmethod
        def scheme(cls) -> str:
            return "memory"

        def match(self, patterns, limits=None):
            paths = ("b/a.csv", "b/_SUCCESS", "b/_temporary/0/a.csv", "b/.a.crc")
            found = [FileMetadata(f"memory://{path}", 1, 2.0) for path in paths]
            return [MatchResult(pattern, found) for pattern in patterns]

    monkeypatch.setattr(Memory, "__abstractmethods__", frozenset())
    assert names("memory://b/*") == ["a.csv"]
    assert names("memory://b/_*") == ["_SUCCESS", "a.csv", "a.csv"]
    assert names("memory://b/_tmp/_S*") == ["_SUCCESS", "a.csv"]


def test_a_glob_may_match_only_readable_files_with_names_in_utf8(tmp_path: Path) -> None:
    (tmp_path / "a.csv").touch()
    fifo, link, odd = tmp_path / "p.fifo", tmp_path / "gone.link", os.fsencode(tmp_path) + b"/\xff.bin"
    os.mkfifo(fifo)
    link.symlink_to(tmp_path / "none")
    Path(os.fsdecode(odd)).touch()
    for pattern, message in (
        ("*.fifo", f"(?s)cannot be read.*{fifo}.*a pipe"),
        ("*.link", r"(?s)cannot be read.*gone\.link.*FileNotFoundError"),
        ("*.bin", r"(?s)is not UTF-8.*udcff\.bin.*Rename"),
    ):
        with pytest.raises(JobError, match=message):
            files.match_files(f"{tmp_path}/{pattern}")
    assert names(f"{tmp_path}/*.csv") == ["a.csv"]


def test_links_are_followed_and_loops_end(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "a.csv").touch()
    (tmp_path / "link").symlink_to("data")
    (tmp_path / "loop").symlink_to("loop")
    assert names(f"{tmp_path}/*/a.csv") == ["a.csv", "a.csv"]
    with pytest.raises(JobError, match=r"(?s)cannot be read.*symbolic links"):
        files.match_files(f"{tmp_path}/lo*")
    assert names(f"{tmp_path}/{'n' * 300}/*") == names(f"{tmp_path}/{'n' * 300}") == []


def test_an_object_store_that_refuses_is_told_with_its_own_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = BeamIOError(
        "List failed", {"gs://a/b": BeamIOError("List failed", {"gs://a/b": NotFound("no bucket a")})}
    )

    def fail(*_: Any, **__: Any) -> Any:
        raise refused if "*" in str(_) else NotFound("no object b")

    monkeypatch.setattr(FileSystems, "match", fail)
    monkeypatch.setattr(FileSystems, "open", fail)
    with pytest.raises(JobError, match=r"(?s)cannot be resolved.*found: NotFound: 404 no bucket a\n.*credentials"):
        files.match_files("gs://a/*")
    with (
        pytest.raises(JobError, match=r"(?s)cannot be read.*found: NotFound: 404 no object b"),
        files.open_file("gs://a/b"),
    ):
        pass


def test_paths_without_files_are_errors(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    for path, title in (
        (f"{tmp_path}/*.csv", "The corpus has no files"),
        (f"{tmp_path}/folder", "The corpus has no files"),
        ("nowhere://bucket/a.csv", "cannot be resolved"),
    ):
        with pytest.raises(JobError, match=title) as error:
            files.require_files(path)
        assert error.value.where == path
    for name, found in (("folder", r"(?s)cannot be read.*a folder.*Name the files"), ("none", "FileNotFoundError")):
        with pytest.raises(JobError, match=found), files.open_file(str(tmp_path / name)):
            pass


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
def test_compressed_files_are_read_unless_truncated(tmp_path, suffix, compress):
    content = "".join(f"line {number}\n" for number in range(1000)).encode()
    file = tmp_path / f"a.csv.{suffix}"
    file.write_bytes(compress(content))
    with files.open_file(str(file)) as opened:
        assert opened.read() == content
    for broken, message in (
        (compress(content)[:-20], r"cannot be read\."),
        (compress(content) + compress(content)[:-3], r"cannot be read\."),
        (compress(content) + b"junk", f"(?s)cannot be read.*byte {len(compress(content)):,} is"),
        (b"not compressed at all", "name that promises"),
    ):
        file.write_bytes(broken)
        with pytest.raises(JobError, match=message) as error, files.open_file(str(file)) as opened:
            opened.read()
        assert error.value.where == str(file)
    file.rename(tmp_path / "plain.csv")
    (tmp_path / "plain.csv").write_bytes(compress(content) + (b"\0" * 8 if suffix in ("gz", "xz") else b""))
    assert files.is_compressed(f"{tmp_path}/plain.csv")
    with files.open_file(f"{tmp_path}/plain.csv") as opened:
        assert opened.read() == content


@hypothesis.given(
    st.sampled_from([gzip.compress, bz2.compress, lzma.compress]),
    st.lists(st.binary(max_size=300), min_size=1, max_size=4),
    st.data(),
)
def test_a_damaged_stream_never_gives_other_content(compress, contents, data):
    stored = bytearray(b"".join(map(compress, contents)))
    stored[data.draw(st.integers(0, len(stored) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    codec = decompression.codec_of(compress(b""))
    with contextlib.suppress(*decompression.UNREADABLE):
        assert decompression.Streams(io.BytesIO(stored), codec).read() == b"".join(contents)


def test_a_bomb_is_read_in_bounded_pieces():
    frame = zstandard.compress(bytes(1 << 28))
    streams = decompression.Streams(io.BytesIO(frame), decompression.codec_of(frame))
    assert streams.readinto(bytearray(1)) == 1
    assert len(streams._plain) < 1 << 27


def test_archives_and_pipes_are_named(tmp_path):
    (tmp_path / "a.txt").write_text("text\n")
    for kind, ending in (("tar", "tar"), ("gztar", "tar.gz"), ("zip", "zip")):
        path = shutil.make_archive(f"{tmp_path}/{kind}", kind, tmp_path, "a.txt")
        assert path.endswith(ending)
        with pytest.raises(JobError, match=f"(?s)archive.*a {kind[-3:]} archive.*Unpack"), files.open_file(path):
            pass
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(JobError, match="a pipe"), files.open_file(f"{tmp_path}/fifo"):
        pass


def test_bytes_are_counted_up_to_a_position(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"a\nb\n\nc\n")
    monkeypatch.setattr(files, "_CHUNK_BYTES", 3)
    assert [files.count_bytes(str(file), b"\n", stop) for stop in (0, 1, 2, 5, 7, 100)] == [0, 0, 1, 3, 4, 4]
