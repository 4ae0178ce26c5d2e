"""Disks and roots that take no more files."""

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.runs import disk
from pipeline.runs.lock import RootLock
from trainer.errors import JobError

ROOT = Path(__file__).parents[3]
LIMITED = """
import pathlib, sys
from pipeline.runs import disk
try:
    disk.write(pathlib.Path(sys.argv[1], "run.json"), b"new" * 10_000)
except OSError as error:
    print(disk.full_or_refused(error, pathlib.Path(sys.argv[1])))
"""
FULL = """
import logging, pathlib
from pipeline.runs.redirect import redirect_output
with redirect_output(pathlib.Path("/dev/full")):
    print("python")
    logging.getLogger("any").info("logged")
    print("at the end")
print("after")
"""


def test_a_file_that_does_not_fit_leaves_the_old_one(tmp_path):
    (tmp_path / "run.json").write_text("old")
    limit = {"preexec_fn": lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1_000, 1_000))}
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True, **limit
    )
    assert done.stdout.startswith("The disk is full.\n  where: /")
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"run.json": "old"}


def test_what_a_full_disk_refuses_of_the_log_is_dropped():
    # Without a buffer, each print would fail by itself.
    settings = {"env": {**os.environ, "PYTHONUNBUFFERED": ""}, "capture_output": True, "text": True}
    done = subprocess.run([sys.executable, "-c", FULL], cwd=ROOT, check=True, **settings)
    assert (done.stdout, done.stderr) == ("after\n", "")


def test_a_full_disk_is_recognized_in_the_errors_of_libraries(tmp_path):
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    try:
        raise RuntimeError("a step has failed") from full
    except RuntimeError as wrapped:
        chained = wrapped
    for error in (full, chained, RuntimeError(f"x; {os.strerror(errno.ENOSPC)} [while running 'Write']")):
        found = disk.full_or_refused(error, tmp_path)
        assert found.what == "The disk is full."
        assert Path(found.where).is_mount()
        assert "MB free now" in found.found
    assert disk.full_or_refused(RuntimeError("disk I/O error"), tmp_path).what == "The disk cannot be written."
    taken_back = RuntimeError("Error when executing query: cannot commit - no transaction is active query: COMMIT;")
    assert disk.full_or_refused(taken_back, tmp_path).what == "The disk cannot be written."
    assert disk.full_or_refused(RuntimeError("other"), tmp_path) is None
    for text in ("Results missing for ids: {1,2}.", "module 'tensorflow_model_analysis' has no attribute 'EvalConfig'"):
        found = disk.full_or_refused(RuntimeError(text), Path("/proc"))  # A file system without space.
        assert (found.what, found.where) == ("The disk is full.", "/proc")
        assert found.found == f"0.0 of 0 MB free now; RuntimeError: {text}"
    assert disk.full_or_refused(OSError(errno.EACCES, "no", "/elsewhere/x"), tmp_path) is None


@pytest.mark.parametrize(
    "name", ["artifacts", "logs", "serving", "schema", "checkpoints", "quarantine", "tuning", "tmp"]
)
def test_a_file_in_place_of_a_folder_is_reported(tmp_path, name):
    (tmp_path / name).write_text("a file")
    with pytest.raises(JobError, match=f"^{name} in the root is not a writable folder") as caught:
        RootLock(tmp_path).__enter__()
    assert caught.value.where == str(tmp_path / name)
    (tmp_path / name).unlink()
    with RootLock(tmp_path):
        (tmp_path / name).mkdir()
    with RootLock(tmp_path):
        pass


def test_a_root_that_is_a_file_is_reported(tmp_path):
    (tmp_path / "root").write_text("a file")
    for root in (tmp_path / "root", tmp_path / "root" / "below"):
        with pytest.raises(JobError, match="The root is not a writable folder") as caught:
            RootLock(root).__enter__()
        assert caught.value.found.endswith(f": {root}")
