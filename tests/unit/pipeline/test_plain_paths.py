"""Paths without the characters of globs."""

import glob
import os
import tempfile
from pathlib import Path

import pytest

from pipeline.config.plain_paths import plain_path
from trainer.errors import JobError


@pytest.fixture(autouse=True)
def temporary(tmp_path, monkeypatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    return tmp_path / "tmp"


@pytest.mark.parametrize("name", ["r", "a b#1%é", "{x}", "-"])
def test_all_spellings_of_a_usual_folder_have_its_one_path(tmp_path, monkeypatch, name):
    root = tmp_path / name
    root.mkdir()
    (tmp_path / "link").symlink_to(root)
    monkeypatch.chdir(tmp_path)
    spellings = (name, f"./{name}", f"{name}/../{name}/", "link", "link/", str(root))
    assert {plain_path(Path(spelling)) for spelling in spellings} == {root}
    assert not [*(tmp_path / "tmp").iterdir()]


@pytest.mark.parametrize("name", ["r[1]", "a*", "b?", "c\\d", "[x", "u[1]/serving/7"])
def test_a_folder_with_characters_of_globs_has_a_path_without(tmp_path, name):
    root = tmp_path / name
    root.mkdir(parents=True)
    (root / "a.txt").write_text(name)
    (tmp_path / "link").symlink_to(root)
    found = plain_path(root)
    assert glob.escape(str(found)) == str(found)
    assert (found / "a.txt").read_text() == name
    assert found == plain_path(tmp_path / "link") == plain_path(found)
    found.unlink()
    found.symlink_to("elsewhere")
    assert plain_path(root) == found
    assert found.resolve() == root
    assert [path.name for path in found.parent.iterdir()] == [found.name]


def test_what_prevents_a_plain_path_is_named(tmp_path, temporary, monkeypatch):
    (tmp_path / "r[1]").mkdir()
    monkeypatch.setattr(os, "getuid", lambda: 12345)
    with pytest.raises(JobError, match=r"special characters(?s:.*)belongs to another user"):
        plain_path(tmp_path / "r[1]")
    with pytest.raises(JobError, match=r"is not UTF-8(?s:.*)udcff"):
        plain_path(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff")))
