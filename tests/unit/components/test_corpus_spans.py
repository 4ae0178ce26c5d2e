import datetime
import glob
import os
import re
from pathlib import Path

import hypothesis
import pytest
from hypothesis import strategies as st

from components.corpus_example_gen.inputs import input_spans, listing, url_filesystems
from components.corpus_example_gen.inputs.files import CorpusFile
from components.corpus_example_gen.inputs.input_spans import Span
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from trainer.errors import JobError


def touch(folder: Path, *names: str) -> str:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return str(folder)


def by_pattern(base: str, patterns: list[SplitPattern], wanted: int | None, count: int) -> tuple[Span, list[list[str]]]:
    """The newest span and the names of the files of each pattern below a folder."""
    full = [pattern._replace(pattern=f"{base}/{pattern.pattern}") for pattern in patterns]
    newest, found = input_spans.resolve(full, wanted, count)
    return newest, [[os.path.relpath(file.path, glob_unescaped(base)) for file in group] for _, group in found]


def glob_unescaped(path: str) -> str:
    return re.sub(r"\[(.)\]", r"\1", path)


def resolve(base: str, pattern: str, wanted: int | None = None, count: int = 1) -> tuple[Span, list[str]]:
    newest, (found,) = by_pattern(base, [SplitPattern(ALL_SPLITS, pattern)], wanted, count)
    return newest, found


def test_a_path_without_spans_is_span_0(tmp_path: Path) -> None:
    base = touch(tmp_path, "a1.csv", "a2.csv", "b.csv")
    patterns = [SplitPattern("train", "a*.csv"), SplitPattern("eval", "b.csv")]
    assert by_pattern(base, patterns, None, 1) == (Span(0, None), [["a1.csv", "a2.csv"], ["b.csv"]])


@pytest.mark.parametrize(
    ("names", "pattern", "newest", "expected"),
    [
        (["1.csv", "10.csv", "9.csv"], "{SPAN}.csv", Span(10, None), ["10.csv"]),
        (["s001/a", "s002/a", "s002/b"], "s{SPAN}/*", Span(2, None), ["s002/a", "s002/b"]),
        (["s1/a", "s01/b"], "s{SPAN}/*", Span(1, None), ["s01/b", "s1/a"]),
        (["2/v9/a", "2/v10/a", "1/v11/a"], "{SPAN}/v{VERSION}/a", Span(2, 10), ["2/v10/a"]),
        (["0312-07.x", "0313-01.x"], "{SPAN:4}-{VERSION:2}.?", Span(313, 1), ["0313-01.x"]),
        (["031", "029"], "{SPAN:2}[0-9]", Span(3, None), ["031"]),
        (["a]3.csv", "a[4.csv"], "a[]]{SPAN}.csv", Span(3, None), ["a]3.csv"]),
        (["x+1", "xx2"], "x+{SPAN}", Span(1, None), ["x+1"]),
        (["12b", "13a"], "{SPAN}[!a]", Span(12, None), ["12b"]),
        # Marks beside each other and beside a *.
        (["span1-a", "span2-a", "span10-a", "span10", "span100b"], "span{SPAN}*", Span(100, None), ["span100b"]),
        (["span1-a", "span10-a", "span10", "span9"], "span{SPAN}*", Span(10, None), ["span10", "span10-a"]),
        (["a9.x", "a10.x", "b10.x"], "*{SPAN}.x", Span(10, None), ["a10.x", "b10.x"]),
        (["a9v2", "a9v10", "b8v11"], "*{SPAN}*{VERSION}", Span(9, 10), ["a9v10"]),
        (["x1231", "x1240"], "x{SPAN:2}{VERSION:2}", Span(12, 40), ["x1240"]),
        (["1231", "1099"], "{SPAN}{VERSION:3}", Span(1, 231), ["1231"]),
    ],
)
def test_the_newest_span(tmp_path: Path, names: list[str], pattern: str, newest: Span, expected: list[str]) -> None:
    assert resolve(touch(tmp_path, *names), pattern) == (newest, expected)


@hypothesis.given(
    st.sampled_from(["{SPAN}", "*{SPAN}", "{SPAN}*", "a{SPAN}*.x", "*{SPAN}.x", "*/{SPAN}*", "[ab]*{SPAN}?b"]),
    st.lists(st.integers(0, 2000), min_size=1, max_size=5, unique=True),
    st.sampled_from(["a", "b-", "a1-b"]),
)
def test_the_newest_number_is_found_whatever_is_beside_it(tmp_path_factory, pattern, numbers, star):
    folder = tmp_path_factory.mktemp("spans")
    plain = pattern.replace("[ab]", "a").replace("?", "-").replace("*", star)
    names = {number: plain.replace("{SPAN}", str(number)) for number in numbers}
    base = touch(folder, *names.values())
    assert resolve(base, pattern) == (Span(max(numbers), None), [names[max(numbers)]])


def test_dates_are_days_since_1970(tmp_path: Path) -> None:
    base = touch(tmp_path, "20231231/a", "20240101/a", "19700101/a")
    newest = (datetime.date(2024, 1, 1) - datetime.date(1970, 1, 1)).days
    assert resolve(base, "{YYYY}{MM}{DD}/*") == (Span(newest, None), ["20240101/a"])
    assert resolve(base, "{YYYY}{MM}{DD}/*", newest - 1, 5)[1] == ["19700101/a", "20231231/a"]
    assert resolve(base, "{YYYY}{MM}{DD}/*", 0) == (Span(0, None), ["19700101/a"])


def test_dates_may_be_written_without_separators(tmp_path: Path) -> None:
    base = touch(tmp_path, "20240227.jsonl", "20240228.jsonl", "20231231.jsonl", "x/20240301v1", "x/20240301v2")
    touch(tmp_path, "span1-a.jsonl", "2024022.jsonl", "202402289.jsonl")
    newest = (datetime.date(2024, 2, 28) - datetime.date(1970, 1, 1)).days
    assert resolve(base, "{YYYY}{MM}{DD}.jsonl") == (Span(newest, None), ["20240228.jsonl"])
    (tmp_path / "202402289.jsonl").unlink()
    assert resolve(base, "*{YYYY}{MM}{DD}*") == (Span(newest, None), ["20240228.jsonl"])
    assert resolve(base, "x/{YYYY}{MM}{DD}*{VERSION}") == (Span(newest + 2, 2), ["x/20240301v2"])


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
        ("{SPAN}{VERSION}.csv", None, "invalid placeholders.*{SPAN}{VERSION}.*a width like"),
    ],
)
def test_invalid_patterns_and_missing_spans(tmp_path: Path, pattern: str, wanted: int | None, message: str) -> None:
    base = touch(tmp_path, "1.csv", "2.csv", "old.txt", "20230229.day")
    with pytest.raises(JobError, match=f"(?s){message}"):
        resolve(base, pattern, wanted)


def test_splits_need_the_same_spans(tmp_path: Path) -> None:
    base = touch(tmp_path, "train/1/v1", "train/2/v2", "eval/1/v1", "eval/2/v1")
    patterns = [SplitPattern(split, f"{split}/{{SPAN}}/v{{VERSION}}") for split in ("train", "eval")]
    with pytest.raises(JobError, match="train: span 2 version 2; eval: span 2 version 1"):
        by_pattern(base, patterns, None, 1)
    assert by_pattern(base, patterns, 1, 1)[1] == [["train/1/v1"], ["eval/1/v1"]]
    with pytest.raises(JobError, match="invalid placeholders"):
        by_pattern(base, [patterns[0], SplitPattern("eval", "eval/1/v1")], None, 1)


def test_the_paths_of_a_list_need_the_same_spans(tmp_path: Path) -> None:
    base = touch(tmp_path, "a/1", "a/2", "b/1")
    patterns = [SplitPattern(ALL_SPLITS, f"{folder}/{{SPAN}}", order) for order, folder in enumerate("ba")]
    with pytest.raises(JobError, match=r"The paths have different spans(?s:.*)b/{SPAN}: span 1; .*a/{SPAN}: span 2"):
        by_pattern(base, patterns, None, 1)
    assert by_pattern(base, patterns, 1, 1)[1] == [["b/1"], ["a/1"]]


def assigned(base: str, *wanted: SplitPattern) -> list[tuple[str | None, str]]:
    full = [each._replace(pattern=f"{base}/{each.pattern}") for each in wanted]
    found = listing.assign(input_spans.resolve(full, None, 1).files)
    return [(split, Path(file.path).name) for split, file in found]


def test_inputs_are_files_with_their_splits(tmp_path: Path) -> None:
    base = touch(tmp_path, "b.csv", "a.csv", "c.txt")
    assert assigned(base, SplitPattern(ALL_SPLITS, "*.csv")) == [(None, "a.csv"), (None, "b.csv")]
    wanted = [SplitPattern("train", "[bc]*"), SplitPattern("eval", "a*"), SplitPattern("train", "b*")]
    assert assigned(base, *wanted) == [("eval", "a.csv"), ("train", "b.csv"), ("train", "c.txt")]
    for pattern, title in (("c*", "is in two splits"), ("x/../c.txt", "is in two splits"), ("d*", "has no files")):
        (tmp_path / "x").mkdir(exist_ok=True)
        with pytest.raises(JobError, match=title):
            assigned(base, *wanted, SplitPattern("eval", pattern))


def test_a_list_keeps_its_order_and_reads_each_file_once(tmp_path: Path) -> None:
    base = touch(tmp_path, "d/b.csv", "d/a.csv", "c.csv")
    (tmp_path / "link").symlink_to("d")
    listed = ["c.csv", "d/*.csv", "link/a.csv", "d/../c.csv", "*.csv"]
    wanted = [SplitPattern(ALL_SPLITS, pattern, order) for order, pattern in enumerate(listed)]
    assert [name for _, name in assigned(base, *wanted)] == ["c.csv", "a.csv", "b.csv"]


def test_a_listing_is_read_as_it_was_written(tmp_path: Path) -> None:
    files = [("train", CorpusFile("/a \u00e9\n.csv", 3, 1.5)), (None, CorpusFile("gs://b/c", 0, 0.1))]
    written = listing.Listing({"train": ["a.csv"]}, "a.csv", files, [1, 0])
    written.write(f"{tmp_path}/in")
    assert listing.read_listing(f"{tmp_path}/in") == written
    assert [path.name for path in (tmp_path / "in").iterdir()] == ["files.json"]


def test_a_url_without_a_filesystem_is_an_error_that_names_what_to_install() -> None:
    from apache_beam.io.filesystem import FileSystem

    installed = {system.scheme() for system in FileSystem.get_all_subclasses()}
    for scheme, extra in (("gs", "apache-beam[gcp]"), ("s3", "apache-beam[aws]"), ("azfs", "apache-beam[azure]")):
        if scheme in installed:
            url_filesystems.require_filesystem(f"{scheme}://bucket/x.csv")
        else:
            with pytest.raises(JobError) as error:
                url_filesystems.require_filesystem(f"{scheme}://bucket/x.csv")
            assert error.value.fix == f"pip install '{extra}'"
    url_filesystems.require_filesystem("/local/path.csv")
    for url, message in (("abc://b/x.csv", "abc://.*gs://, s3://"), ("file:///data/x.csv", "file://.*without file://")):
        with pytest.raises(JobError, match=f"(?s)Beam has no filesystem for {message}"):
            url_filesystems.require_filesystem(url)


def test_files_are_numbered_by_the_order_of_their_spans(tmp_path: Path) -> None:
    base = touch(tmp_path, "train/9.csv", "train/10.csv", "train/7b.csv", "eval/7.csv", "eval/10.csv")
    patterns = [SplitPattern("train", f"{base}/train/{{SPAN}}*.csv"), SplitPattern("eval", f"{base}/eval/{{SPAN}}.csv")]
    names = ("train/10.csv", "train/7b.csv", "train/9.csv", "eval/7.csv", "eval/10.csv")
    files = [(None, CorpusFile(f"{base}/{name}", 0, 0)) for name in names]
    assert listing.number_spans(files, patterns) == [2, 0, 1, 0, 2]
    assert listing.number_spans(files, [SplitPattern("train", f"{base}/*/*.csv")]) == [0] * 5
