"""Jobs whose metadata is in one database on a real server: side by side, by steps, and when the server goes away."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipeline.dag import lineage
from pipeline.store.stores import known_store
from pipeline.tasks.loading import load
from tests.database_servers import PASSWORD, DatabaseServer
from tests.e2e.conftest import YAML, Job
from tests.e2e.test_steps import contents

pytestmark = pytest.mark.slow

DATASET = YAML.partition("trainer:")[0].replace("classifier", "dataset")
RESULTS = ("CorpusExampleGen", "StatisticsGen", "SchemaGen", "ExampleValidator", "SequenceTransform")


@pytest.fixture(autouse=True)
def _no_password_in_files(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """After each test, no file of its roots has the password."""
    yield
    for path in tmp_path_factory.getbasetemp().glob("shared*/**/*"):
        # The last characters may be escaped.
        assert not path.is_file() or PASSWORD[:6].encode() not in path.read_bytes(), path


def states(job: Job, number: int = -1) -> dict[str, str]:
    return {row["name"]: row["state"] for row in job.records()[number]["components"]}


def executions(job: Job, run: str) -> dict[str, lineage.Execution]:
    store = known_store(load(job.folder / "job.yaml"), job.root)
    return lineage.read_run(store.connection, store.pipeline, run)


def in_file(job: Job, folder: Path) -> Job:
    """The same job in a folder and a root of its own, with its metadata in a file."""
    other = Job(folder, job.code)
    shutil.copyfile(job.folder / "data.csv", folder / "data.csv")
    text = (job.folder / "job.yaml").read_text()
    (folder / "job.yaml").write_text("".join(f"{line}\n" for line in text.splitlines() if "metadata:" not in line))
    return other


def test_jobs_in_one_store_have_the_results_of_stores_of_their_own(
    new_job: Callable[..., Job], store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    yaml = f"{DATASET}metadata: {store_url}\n"
    jobs = [new_job("shared", yaml, count) for count in (400, 300)]
    alone = [in_file(job, tmp_path_factory.mktemp("alone")) for job in jobs]
    for pair in (jobs, alone):
        with contextlib.ExitStack() as stack:
            processes = [stack.enter_context(job.started()) for job in pair]
            ended = [(process.communicate(), process.returncode) for process in processes]
        assert [code for _, code in ended] == [0, 0], ended
    for job, other in zip(jobs, alone, strict=True):
        for component in RESULTS:
            assert contents(job.root, component) == contents(other.root, component)
        assert states(job) == states(other)
        assert not (job.root / "metadata.sqlite").exists()
        found = executions(job, job.records()[-1]["run_id"])
        assert found["PreviousStatistics"].outputs.keys() == {"current"}
        uris = [output.uri for execution in found.values() for output in execution.outputs.values()]
        assert len(uris) > 5
        assert all(uri.startswith(str(job.root)) for uri in uris)

    first, second = jobs
    shown = json.loads(first.seqloom("plan", "job.yaml", "--root", first.root, "--json").stdout)
    assert {row["name"] for row in shown if row["cache"] != "cached"} == {"PreviousStatistics"}
    reason = first.seqloom("why", "job.yaml", "SequenceTransform", "--root", first.root, "--set", "transform.nfkc=true")
    assert reason.stdout.startswith("SequenceTransform would run: transform.nfkc is true, was false"), reason
    # The other job gets the same files and settings: nothing comes from the cache of the first.
    shutil.copyfile(first.folder / "data.csv", second.folder / "data.csv")
    again = second.run()
    assert again.returncode == 0, again.stderr
    assert {states(second)[name] for name in ("CorpusExampleGen", "StatisticsGen", "SequenceTransform")} == {"done"}
    before = executions(second, second.records()[-1]["run_id"])["PreviousStatistics"].outputs["statistics"].uri
    assert before.startswith(f"{second.root}/artifacts/StatisticsGen/")
    checked = first.seqloom("doctor", "job.yaml", "--root", first.root)
    assert f"ok: Metadata store: {store_url.replace('seqloom@', '')}, schema 10, " in checked.stdout


def test_steps_of_one_run_share_the_store(
    new_job: Callable[..., Job], store_url: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    job = new_job("shared-steps", f"{DATASET}metadata: {store_url}\n", 400)
    alone = in_file(job, tmp_path_factory.mktemp("alone"))
    assert alone.run().returncode == 0
    one = ("--run-id", "one", "--only")
    assert job.run(*one, "CorpusExampleGen").returncode == 0
    with job.started(*one, "SchemaGen") as schema, job.started(*one, "StatisticsGen") as statistics:
        assert (schema.wait(), statistics.wait()) == (0, 0)
    rest = job.run(*one, "PreviousStatistics,ExampleValidator,SequenceTransform")
    assert rest.returncode == 0, rest.stderr
    for component in RESULTS:
        assert contents(job.root, component) == contents(alone.root, component)
    assert states(job) == states(alone)
    assert job.run(*one, "SchemaGen").stdout == "SchemaGen: already done\n"


def test_a_run_whose_server_goes_away_is_retried(
    new_job: Callable[..., Job], store_url: str, database_server: DatabaseServer
) -> None:
    job = new_job("shared-lost", f"{YAML}metadata: {store_url}\n", 400)
    with job.started() as process:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Trainer: epoch 1/3"):
                break
        database_server.stop()
        try:
            _, err = process.communicate()
        finally:
            database_server.start()
    assert process.returncode == 75, err
    assert err.startswith("The connection to the metadata store is lost.\n"), err
    assert states(job)["Trainer"] == "failed"
    retried = job.run()
    assert retried.returncode == 0, retried.stderr
    assert (states(job)["SequenceTransform"], states(job)["Trainer"]) == ("cached", "done")

    moved = Job(job.folder.rename(job.folder.with_name(f"{job.folder.name}-moved")), job.code)
    lines = (moved.folder / "data.csv").read_text().splitlines(keepends=True)
    (moved.folder / "data.csv").write_text("".join(lines[:-20]))
    after = moved.run()
    assert after.returncode == 0, after.stderr
    assert any("the last blessed model's" in reason for reason in moved.records()[-1]["verdict"]["reasons"])
    assert len(moved.versions()) == 2
