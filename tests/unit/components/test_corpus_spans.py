import datetime
import glob
from pathlib import Path

import pytest

from components.corpus_example_gen.inputs import input_spans, split_patterns
from components.corpus_example_gen.inputs.input_spans import Resolved, Span
from components.corpus_example_gen.inputs.split_patterns import ALL_SPLITS, SplitPattern
from trainer.errors import JobError


def touch(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return str(folder)


def resolve(base: str, pattern: str, wanted: int | None = None, count: int = 1) -> tuple[Span, list[str]]:
    found = input_spans.resolve(base, {"corpus": pattern}, wanted, count)
    return found.newest, found.patterns["corpus"]


def test_a_path_without_spans_is_unchanged(tmp_path: Path) -> None:
    patterns = {"train": "a*.csv", "eval": "b.csv"}
    assert input_spans.resolve(str(tmp_path), patterns, None, 1) == Resolved(
        Span(0, None), {"train": ["a*.csv"], "eval": ["b.csv"]}
    )


@pytest.mark.parametrize(
    ("names", "pattern", "newest", "expected"),
    [
        (["1.csv", "10.csv", "9.csv"], "{SPAN}.csv", Span(10, None), ["10.csv"]),
        (["s001/a", "s002/a", "s002/b"], "s{SPAN}/*", Span(2, None), ["s002/*"]),
        (["s1/a", "s01/b"], "s{SPAN}/*", Span(1, None), ["s01/*", "s1/*"]),
        (["2/v9/a", "2/v10/a", "1/v11/a"], "{SPAN}/v{VERSION}/a", Span(2, 10), ["2/v10/a"]),
        (["0312-07.x", "0313-01.x"], "{SPAN:4}-{VERSION:2}.?", Span(313, 1), ["0313-01.?"]),
        (["031", "029"], "{SPAN:2}[0-9]", Span(3, None), ["03[0-9]"]),
        (["a]3.csv", "a[4.csv"], "a[]]{SPAN}.csv", Span(3, None), ["a[]]3.csv"]),
        (["x+1", "xx2"], "x+{SPAN}", Span(1, None), ["x+1"]),
        (["12b", "13a"], "{SPAN}[!a]", Span(12, None), ["12[!a]"]),
    ],
)
def test_the_newest_span(tmp_path: Path, names: list[str], pattern: str, newest: Span, expected: list[str]) -> None:
    assert resolve(touch(tmp_path, *names), pattern) == (newest, expected)


def test_dates_are_days_since_1970(tmp_path: Path) -> None:
    base = touch(tmp_path, "20231231/a", "20240101/a", "19700101/a")
    newest = (datetime.date(2024, 1, 1) - datetime.date(1970, 1, 1)).days
    assert resolve(base, "{YYYY}{MM}{DD}/*") == (Span(newest, None), ["20240101/*"])
    assert resolve(base, "{YYYY}{MM}{DD}/*", newest - 1, 5)[1] == ["19700101/*", "20231231/*"]
    assert resolve(base, "{YYYY}{MM}{DD}/*", 0) == (Span(0, None), ["19700101/*"])


def test_a_window_holds_the_last_existing_spans(tmp_path: Path) -> None:
    base = touch(tmp_path, "1/v1/a", "3/v1/a", "3/v2/a", "8/v1/a", "9/v5/a")
    pattern = "{SPAN}/v{VERSION}/a"
    assert resolve(base, pattern, None, 3) == (Span(9, 5), ["3/v2/a", "8/v1/a", "9/v5/a"])
    assert resolve(base, pattern, 8, 2) == (Span(8, 1), ["3/v2/a", "8/v1/a"])
    assert resolve(base, pattern, 3, 9) == (Span(3, 2), ["1/v1/a", "3/v2/a"])


def test_folders_may_have_special_names(tmp_path: Path) -> None:
    folder = tmp_path / "odd [1] {x} (y)"
    touch(folder, "../odd [1] {x} (y)/5.csv")
    assert resolve(glob.escape(str(folder)), "{SPAN}.csv") == (Span(5, None), ["5.csv"])
    touch(tmp_path, "jobs/job.yaml", "5.csv")
    assert resolve(f"{tmp_path}/jobs/..", "{SPAN}.csv") == (Span(5, None), ["5.csv"])


@pytest.mark.parametrize(
    ("pattern", "wanted", "message"),
    [
        ("{SPAN}.tsv", None, "The corpus has no spans.*no matching file"),
        ("{SPAN}.csv", 3, "The corpus has no span 3.*2 spans, the last 1, 2"),
        ("{SPAN}*", None, "has no span in its name.*old.txt"),
        ("{YYYY}{MM}{DD}.day", None, "has no span in its name.*20230229.day.*no number or date"),
        ("{SPAN}/{YYYY}{MM}{DD}", None, "invalid placeholders"),
        ("{YYYY}{MM}", None, "invalid placeholders"),
        ("{VERSION}.csv", None, "invalid placeholders"),
        ("{SPAN}{SPAN}.csv", None, "invalid placeholders"),
        ("{SPAN:x}.csv", None, "invalid placeholders.*{SPAN:x}.*{SPAN:3}"),
        ("{SPAN:0}.csv", None, "invalid placeholders"),
    ],
)
def test_invalid_patterns_and_missing_spans(tmp_path: Path, pattern: str, wanted: int | None, message: str) -> None:
    base = touch(tmp_path, "1.csv", "2.csv", "old.txt", "20230229.day")
    with pytest.raises(JobError, match=f"(?s){message}"):
        resolve(base, pattern, wanted)


def test_splits_need_the_same_spans(tmp_path: Path) -> None:
    base = touch(tmp_path, "train/1/v1", "train/2/v2", "eval/1/v1", "eval/2/v1")
    patterns = {split: f"{split}/{{SPAN}}/v{{VERSION}}" for split in ("train", "eval")}
    with pytest.raises(JobError, match="train: span 2 version 2; eval: span 2 version 1"):
        input_spans.resolve(base, patterns, None, 1)
    assert input_spans.resolve(base, patterns, 1, 1).patterns == {"train": ["train/1/v1"], "eval": ["eval/1/v1"]}
    with pytest.raises(JobError, match="invalid placeholders"):
        input_spans.resolve(base, {**patterns, "eval": "eval/1/v1"}, None, 1)


def test_inputs_are_files_with_their_splits(tmp_path: Path) -> None:
    base = touch(tmp_path, "b.csv", "a.csv", "c.txt")

    def names(*wanted: SplitPattern) -> list[tuple[str | None, str]]:
        return [(split, Path(file.path).name) for split, file in split_patterns.require(base, list(wanted))]

    assert names(SplitPattern(ALL_SPLITS, "*.csv")) == [(None, "a.csv"), (None, "b.csv")]
    wanted = [SplitPattern("train", "[bc]*"), SplitPattern("eval", "a*"), SplitPattern("train", "b*")]
    assert names(*wanted) == [("eval", "a.csv"), ("train", "b.csv"), ("train", "c.txt")]
    for pattern, title in (("c*", "is in two splits"), ("d*", "The corpus has no files")):
        with pytest.raises(JobError, match=title):
            names(*wanted, SplitPattern("eval", pattern))


def test_a_url_without_a_filesystem_is_an_error_that_names_what_to_install() -> None:
    from apache_beam.io.filesystem import FileSystem

    installed = {system.scheme() for system in FileSystem.get_all_subclasses()}
    for scheme, extra in (("gs", "apache-beam[gcp]"), ("s3", "apache-beam[aws]"), ("azfs", "apache-beam[azure]")):
        if scheme in installed:
            split_patterns.require_filesystem(f"{scheme}://bucket/x.csv")
        else:
            with pytest.raises(JobError) as error:
                split_patterns.require_filesystem(f"{scheme}://bucket/x.csv")
            assert error.value.fix == f"pip install '{extra}'"
    split_patterns.require_filesystem("/local/path.csv")
    for url, message in (("abc://b/x.csv", "abc://.*gs://, s3://"), ("file:///tmp/x.csv", "file://.*without file://")):
        with pytest.raises(JobError, match=f"(?s)Beam has no filesystem for {message}"):
            split_patterns.require_filesystem(url)
