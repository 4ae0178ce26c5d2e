"""The same job on several engines: the same bytes, also after a worker has died."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from tensorflow_metadata.proto.v0 import statistics_pb2

from tests.e2e.conftest import Job

YAML = """\
name: tiny
task: dataset
corpus: {format: csv, path: data.csv, text: body, source: site, id: key}
"""
KILLER = """\
import logging, os, signal
from pathlib import Path

class Killer(logging.Handler):
    def emit(self, record):
        if hasattr(record, "progress"):
            try:
                Path(os.environ["KILL_ONE_WORKER"]).unlink()
            except FileNotFoundError:
                return
            os.kill(os.getpid(), signal.SIGKILL)

logging.getLogger("seqloom.progress").addHandler(Killer())
logging.getLogger("seqloom.progress").setLevel(logging.INFO)
"""
"""Kills the first worker that reports progress while a file exists: the first to have transformed a part of a shard."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def job(new_job: Callable[..., Job]) -> Job:
    """A job of 500 documents, whose root `local` is that of the engine in the process."""
    made = new_job("engines", YAML, count=500)
    run(made, "local")
    return made


def run(job: Job, root: str, *options: str, fails: bool = False) -> str:
    """Runs the job until its examples are transformed; returns what it printed."""
    done = job.fresh("run", "job.yaml", "--root", root, "--until", "SequenceTransform", *set_keys(options))
    assert (done.returncode != 0) == fails, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def set_keys(options: tuple[str, ...]) -> list[str]:
    return [word for option in options for word in ("--set", f"beam.{option}")]


def contents(root: Path) -> dict[str, list[bytes]]:
    """The shards of both stages and the vocabulary by their places below the artifacts, without execution ids."""
    names = ("*/examples/*/*/*", "*/transformed_examples/*/*/*.gz", "*/transform_graph/*/vocabulary.txt")
    found: dict[str, list[bytes]] = {}
    for name in names:
        for path in sorted((root / "artifacts").glob(name)):
            found.setdefault(place(root, path), []).append(path.read_bytes())
    return found


def place(root: Path, path: Path) -> str:
    parts = path.relative_to(root).parts
    return "/".join(part for part in parts if not part.isdecimal())


def files(root: Path) -> Counter[str]:
    """The number of files by place; logs and the folders of TFX's executions are not compared."""
    paths = [path for path in root.rglob("*") if path.is_file() and not {"logs", ".system"} & {*path.parts}]
    return Counter(place(root, path) for path in paths)


def statistics(root: Path) -> dict[str, dict[tuple[str, ...], str]]:
    found = {}
    for path in root.glob("artifacts/StatisticsGen/statistics/*/*/FeatureStats.pb"):
        (dataset,) = statistics_pb2.DatasetFeatureStatisticsList.FromString(path.read_bytes()).datasets
        features = {tuple(feature.path.step): str(feature) for feature in dataset.features}
        found[path.parent.name] = {("documents",): str(dataset.num_examples), **features}
    return found


def require_equal(job: Job, root: str) -> None:
    expected = contents(job.folder / "local")
    assert len(expected) == 7  # Two stages of three splits, and the vocabulary.
    assert contents(job.folder / root) == expected
    assert statistics(job.folder / root) == statistics(job.folder / "local") != {}
    assert files(job.folder / root) == files(job.folder / "local")


def test_prism_gives_the_same_bytes_and_ends_with_the_run(job: Job, prism: str) -> None:
    copy = str(shutil.copy(prism, job.folder / "prism-of-this-test"))
    run(job, "prism", "engine=prism", f"prism={copy}")
    require_equal(job, "prism")
    assert not [process for process in psutil.process_iter(["exe"]) if process.info["exe"] == copy]


@pytest.mark.parametrize("server", ["two_workers", "prism"])
def test_a_run_repeated_after_the_death_of_a_worker_gives_the_same_bytes(
    job: Job, server: str, request: pytest.FixtureRequest
) -> None:
    marker, root = job.folder / f"kill-{server}", f"root-{server}"
    with services(job, server, request, marker) as keys:
        marker.touch()
        failed = run(job, root, *keys, fails=True)
        assert "Engine portable has lost a worker or its job server." in failed
        assert "SequenceTransform: failed" in failed
        assert not marker.exists()
        again = run(job, root, *keys)
        assert "CorpusExampleGen: cached" in again
    require_equal(job, root)


@contextlib.contextmanager
def services(job: Job, server: str, request: pytest.FixtureRequest, marker: Path) -> Iterator[list[str]]:
    """Runs a job server and a pool of workers that have the job's code; yields the keys of the YAML for them."""
    (job.folder / "kill").mkdir(exist_ok=True)
    (job.folder / "kill" / "sitecustomize.py").write_text(KILLER)
    ports = free_ports(2)
    if server == "prism":
        program = [request.getfixturevalue("prism"), "--serve_http=false", "--job_port", str(ports[0])]
    else:
        script = str(Path(__file__).with_name("two_workers.py"))
        program = [sys.executable, script, "-p", str(ports[0]), "--staging_dir", str(job.folder / "staged")]
    pool = [sys.executable, "-m", "apache_beam.runners.worker.worker_pool_main", "--service_port", str(ports[1])]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",  # The pool starts `python`.
        "PYTHONPATH": f"{job.code}:{job.folder / 'kill'}",
        "KILL_ONE_WORKER": str(marker),
    }
    with contextlib.ExitStack() as stack:
        for command, port in zip((program, pool), ports, strict=True):
            log = stack.enter_context((job.folder / f"{server}-{port}.log").open("w"))
            process = stack.enter_context(
                subprocess.Popen(command, cwd=job.folder, env=environment, stdout=log, stderr=log)
            )
            stack.callback(process.terminate)
            wait_for(port, process)
        yield ["engine=portable", f"endpoint=localhost:{ports[0]}", f"workers=localhost:{ports[1]}"]


def free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


def wait_for(port: int, process: subprocess.Popen) -> None:
    while process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("localhost", port)).close()
            return
    pytest.fail(f"{process.args} has ended with {process.returncode}")
