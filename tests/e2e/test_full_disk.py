"""Runs on a disk that fills up in one component, on a tmpfs whose size is set between them."""

import dataclasses
import hashlib
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import Job

pytestmark = pytest.mark.slow

ROOMY = 256 << 20
# Each component with the last one that runs before it, and free bytes that about suffice for the components from the
# cache, but not for the one that has to run: other versions of the libraries may need some more for the log and ML
# Metadata. The model has 9 MB.
STEPS = (
    ("StatisticsGen", "SchemaGen", 130_000),
    ("LinearBaseline", "SequenceTransform", 140_000),
    ("Evaluator", "Baseline", 240_000),
    ("Pusher", "Evaluator", 5_000_000),
)


@dataclasses.dataclass(frozen=True)
class Disk:
    """A mounted tmpfs."""

    folder: Path

    def resize(self, size: int) -> None:
        command = ["mount", "-o", f"remount,size={size}", str(self.folder)]
        subprocess.run(command, check=True, capture_output=True)

    def leave_free(self, space: int) -> None:
        """Makes the disk so small that only some bytes are free."""
        self.resize(shutil.disk_usage(self.folder).used + space)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={ROOMY}", "tmpfs", str(folder)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"needs the command mount: {error}")
    if done.returncode:
        pytest.skip(f"needs a tmpfs, which cannot be mounted here: {done.stderr.strip()}")
    try:
        yield Disk(folder)
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@pytest.fixture
def job(new_job: Callable[..., Job], disk: Disk) -> Job:
    """A job whose root is on the disk."""
    made = new_job("full")
    made.root.symlink_to(disk.folder / "root")
    (disk.folder / "root").mkdir()
    return made


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def fill_up_in(component: str, job: Job, disk: Disk, space: int) -> None:
    for more in range(0, 240_000, 12_000):
        disk.leave_free(space + more)
        failed = job.run(fresh=True)
        assert failed.returncode == 1
        assert failed.stderr.startswith(f"The disk is full.\n  where: {disk.folder}\n"), failed.stderr
        assert "Traceback" not in failed.stdout + failed.stderr
        record = job.records()[-1]
        assert (record["state"], record["error"].splitlines()[0]) == ("failed", "The disk is full.")
        assert [*job.root.glob("serving/*"), *job.root.glob("serving/.*")] == []
        assert not (job.root / "tmp").exists()
        if [one["name"] for one in record["components"] if one["state"] == "failed"] == [component]:
            break
    assert re.search(rf"^{component}: failed", failed.stdout, re.MULTILINE), failed.stdout


def test_a_disk_that_fills_up_in_a_component_is_one_message_and_the_run_resumes(job: Job, disk: Disk) -> None:
    for component, before, space in STEPS:
        disk.resize(ROOMY)
        done = job.run("--until", before)
        assert done.returncode == 0, done.stderr
        fill_up_in(component, job, disk, space)
    disk.resize(ROOMY)
    done = job.run()
    assert done.returncode == 0, done.stderr
    (version,) = job.versions()
    (model,) = job.root.glob("artifacts/Trainer/model/*/Format-Serving")
    published = files(job.root / "serving" / version)
    fingerprints = json.loads(published.pop("fingerprints.json"))
    assert published == files(model)
    assert fingerprints["files"] == {name: hashlib.sha256(file).hexdigest() for name, file in published.items()}
    states = {one["name"]: one["state"] for one in job.records()[-1]["components"]}
    assert [states[name] for name in ("CorpusExampleGen", "StatisticsGen", "Evaluator", "Pusher")] == [
        *("cached", "cached", "cached", "done")
    ]
