"""Fingerprints follow the content of files, not their times, and hash a file once as long as it stays as it is."""

import hashlib
import json
import os
import shutil
import time
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from components.corpus_example_gen.inputs import files, fingerprints
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.fingerprints import fingerprint, fingerprinted_files
from trainer.errors import JobError


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for name in "ab":
        (folder / f"{name}.csv").write_text(f"text\n{name}\n")
    return folder


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are read, in order."""
    opened: list[str] = []
    hash_file = fingerprints._digest
    monkeypatch.setattr(fingerprints, "_digest", lambda file: (opened.append(Path(file.name).name), hash_file(file))[1])
    return opened


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + int(seconds * 1e9))


def of(folder: Path, split: str | None = None) -> str:
    found = [(split, file) for file in files.require_files(f"{folder}/*.csv")]
    return fingerprint(found, folder.parent / "inputs")


def test_the_folder_of_a_file_counts_where_it_is_the_label(tmp_path: Path) -> None:
    def found(label: str, above: str) -> str:
        file = tmp_path / above / label / "a.txt"
        file.parent.mkdir(parents=True)
        file.write_text("text")
        return fingerprint([(None, file) for file in files.require_files(str(file))], tmp_path, by_folder=True)

    assert found("pos", "one") != found("neg", "one")
    assert found("pos", "two") == found("pos", "three")


def test_content_names_order_and_splits_decide(corpus: Path, tmp_path: Path) -> None:
    first = of(corpus)
    assert first.startswith("files:2,bytes:14,")
    os.utime(corpus / "a.csv", ns=(1, 1))
    assert of(corpus) == first
    shutil.copytree(corpus, tmp_path / "moved")
    assert of(tmp_path / "moved") == first
    status = (corpus / "a.csv").stat()
    (corpus / "a.csv").write_text("text\nX\n")
    os.utime(corpus / "a.csv", ns=(status.st_atime_ns, status.st_mtime_ns))
    seen = [first, of(corpus), of(corpus, "train"), of(corpus, "eval")]
    (corpus / "b.csv").rename(corpus / "c.csv")
    seen.append(of(corpus))
    found = [(None, file) for file in files.require_files(f"{corpus}/*.csv")]
    seen.append(fingerprint(found[::-1], tmp_path))
    assert len({*seen}) == len(seen)


@hypothesis.given(st.lists(st.binary(max_size=3), min_size=1, max_size=3), st.integers(0, 8))
def test_only_equal_contents_have_equal_fingerprints(tmp_path_factory, contents, moved):
    folder = tmp_path_factory.mktemp("case")
    prints = {}
    joined = b"".join(contents)
    for cut in {min(moved, len(joined)), len(contents[0])}:
        for name, content in (("a.csv", joined[:cut]), ("b.csv", joined[cut:])):
            (folder / name).write_bytes(content)
        prints[joined[:cut]] = of(folder)
    assert len({*prints.values()}) == len(prints)


def test_a_file_is_hashed_once_while_it_stays_as_it_is(corpus, read, monkeypatch, tmp_path) -> None:
    later(monkeypatch, 10)
    first = of(corpus)
    assert (of(corpus), sorted(read)) == (first, ["a.csv", "b.csv"])
    read.clear()
    os.utime(corpus / "b.csv", ns=(1, 1))
    assert (of(corpus), read) == (first, ["b.csv"])
    read.clear()
    shutil.copy2(corpus / "a.csv", tmp_path / "a.csv")
    (corpus / "a.csv").unlink()
    shutil.copy2(tmp_path / "a.csv", corpus / "a.csv")  # As `cp -p` and `rsync -t` do.
    assert (of(corpus), read) == (first, ["a.csv"])


def test_a_fresh_file_is_hashed_again_because_its_clock_may_miss_a_change(corpus, read, monkeypatch) -> None:
    later(monkeypatch, 1)
    assert of(corpus) == of(corpus)
    assert sorted(read) == ["a.csv", "a.csv", "b.csv", "b.csv"]


def test_a_file_that_changes_while_it_is_read_is_not_remembered(corpus, read, monkeypatch) -> None:
    later(monkeypatch, 10)
    hash_file = fingerprints._digest

    def change(file):
        with Path(file.name).open("a") as other:
            other.write("more\n")
        return hash_file(file)

    monkeypatch.setattr(fingerprints, "_digest", change)
    of(corpus)
    assert [path.name for path in (corpus.parent / "inputs").iterdir()] == ["contents"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"a": 1}', b"\xff\xfe", b"[" * 100_000])
def test_a_damaged_memory_is_written_anew(corpus, read, monkeypatch, content) -> None:
    later(monkeypatch, 10)
    memory = corpus.parent / "inputs" / "hashes.json"
    memory.parent.mkdir()
    memory.write_bytes(content)
    assert of(corpus) == of(corpus)
    assert sorted(read) == ["a.csv", "b.csv"]
    assert sorted(path.name for path in memory.parent.iterdir()) == ["contents", "hashes.json"]


def test_the_memory_is_bounded_but_holds_the_files_at_hand(corpus, read, monkeypatch) -> None:
    later(monkeypatch, 10)
    monkeypatch.setattr(fingerprints, "_REMEMBERED", 3)
    memory = corpus.parent / "inputs" / "hashes.json"
    memory.parent.mkdir()
    memory.write_text(json.dumps({str(number): "x" for number in range(5)}))
    of(corpus)
    assert [key == "4" for key in json.loads(memory.read_text())] == [True, False, False]
    monkeypatch.setattr(fingerprints, "_REMEMBERED", 1)
    of(corpus)
    assert len(read) == len(json.loads(memory.read_text())) == 2


def test_files_of_other_machines_count_by_url_size_and_time(tmp_path: Path) -> None:
    base = CorpusFile("gs://b/a.csv", 3, 1.5)
    others = [base._replace(path="gs://c/a.csv"), base._replace(size=4), base._replace(modified=1.25)]
    seen = {fingerprint([(None, file)], tmp_path) for file in (base, base, *others)}
    assert len(seen) == 4


def test_a_file_that_cannot_be_read_is_named(corpus: Path) -> None:
    found = [(None, file) for file in files.require_files(f"{corpus}/*.csv")]
    (corpus / "b.csv").unlink()
    with pytest.raises(JobError, match=r"cannot be read(?s:.*)b\.csv"):
        fingerprint(found, corpus.parent)


def test_the_files_behind_a_fingerprint_are_kept(corpus: Path, tmp_path: Path) -> None:
    first, second = of(corpus), of(corpus, "train")
    contents = [hashlib.sha256(f"text\n{name}\n".encode()).hexdigest() for name in "ab"]
    (corpus / "b.csv").write_text("text\nc\n")
    of(corpus)
    inputs = tmp_path / "inputs"
    assert fingerprinted_files(first, inputs) == [*zip(("a.csv", "b.csv"), contents, strict=True)]
    assert fingerprinted_files(second, inputs) == [*zip(("train: a.csv", "train: b.csv"), contents, strict=True)]
    assert fingerprinted_files("files:1,bytes:1,blake2b:0", inputs) is None
