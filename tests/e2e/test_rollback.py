"""Two published models, a way back, and what later runs and readers make of it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import YAML, Job

pytestmark = pytest.mark.slow

WHY = "it is wrong on holidays"


@pytest.fixture(scope="module")
def job(new_job: Callable[..., Job], ran: Callable[..., Any]) -> Job:
    """A job with two published models."""
    made = new_job("back", yaml=YAML.replace("keep: 2", "keep: 9"))
    for epochs in (3, 4):
        done = ran(made, "--set", f"trainer.epochs={epochs}")
        assert done.process.returncode == 0, done.process.stderr
    assert len(made.versions()) == 2
    return made


def digest(version: Path) -> str:
    return json.loads((version / "assets.extra" / "seqloom.json").read_text())["digest"]


def test_a_model_is_rolled_back_and_stays_so(job: Job) -> None:
    first, second = job.versions()
    assert job.seqloom("verify", job.root).stdout == "".join(
        f"{version}: unchanged since it was published\n" for version in (first, second)
    )
    done = job.seqloom("rollback", job.root, "--why", WHY)
    assert done.returncode == 0, done.stderr
    newest = job.versions()[-1]
    assert done.stdout.splitlines() == [
        f"Version {newest} is served now: version {first} again, in place of {second}.",
        f"To undo it: seqloom rollback {job.root} --to {second} --why ...",
    ]
    serving = job.root / "serving"
    assert digest(serving / newest) == digest(serving / first) != digest(serving / second)
    answers = [
        job.seqloom("predict", where, "warm and witty").stdout
        for where in (job.root, serving / first, serving / second)
    ]
    assert answers[0] == answers[1] != answers[2]

    # The replaced model comes from the cache, passes its gates, and is not published again.
    again = job.run("--set", "trainer.epochs=4")
    assert again.returncode == 3, again.stderr
    assert "Not published: this model was rolled back.\n" in again.stdout
    reason = f"it is the model of version {second}, which was rolled back on "
    record = job.records()[-1]
    assert record["state"] == "withdrawn"
    assert record["verdict"]["reasons"][0].startswith(reason)
    assert record["verdict"]["reasons"][0].endswith(f": {WHY}")
    assert job.versions()[-1] == newest

    # The next model is compared with the one that is served.
    other = job.run("--set", "trainer.epochs=5")
    assert other.returncode == 0, other.stderr
    baseline = {run["run_id"]: run["metrics"]["overall"] for run in job.records()}
    found = json.loads(job.seqloom("versions", job.root, "--json").stdout)
    assert [(one["number"], one["newest"]) for one in found] == [
        (int(version), version == job.versions()[-1]) for version in job.versions()
    ]
    actions = [one["entry"]["action"] for one in found]
    assert actions == ["push", "push", "rollback", "push"]
    assert [one["withdrawn"] for one in found] == [None, WHY, None, None]
    assert [one["metrics"] for one in found] == [baseline[one["entry"]["run"]] for one in found]
    served = baseline[found[0]["entry"]["run"]]["accuracy"]
    reasons = job.records()[-1]["verdict"]["reasons"]
    assert any(
        reason.startswith("accuracy is") and f"the last blessed model's {served:.4f}" in reason for reason in reasons
    )

    undone = job.seqloom("rollback", job.root, "--to", second, "--why", "it was right")
    assert undone.returncode == 0, undone.stderr
    assert job.run("--set", "trainer.epochs=4").returncode == 0
    assert job.records()[-1]["state"] == "unchanged"
    table = job.seqloom("versions", job.root).stdout
    assert "rollback to" in table
    assert "served" in table


def test_a_damaged_version_is_neither_asked_nor_gone_back_to(job: Job) -> None:
    first = job.versions()[0]
    folder = job.root / "serving" / first
    weights = folder / "variables" / "variables.data-00000-of-00001"
    content = weights.read_bytes()
    weights.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    try:
        found = "variables/variables.data-00000-of-00001 is changed"
        verified = job.seqloom("verify", job.root, first)
        assert (verified.returncode, verified.stdout) == (1, f"{first}: {found}\n")
        for command, code in (
            (("predict", folder, "warm"), 2),
            (("rollback", job.root, "--to", first, "--why", "x"), 1),
        ):
            refused = job.seqloom(*command)
            assert refused.returncode == code
            assert refused.stdout == ""
            assert refused.stderr.startswith("The model is not the one that was published.\n")
            assert f"found: {found}\n" in refused.stderr
    finally:
        weights.write_bytes(content)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("verify", "7"), "The root has no version 7."),
        (("rollback", "--to", "7", "--why", "x"), "The root has no version 7."),
        (("rollback", "--why", " "), "The reason is empty."),
        (("rollback", "--to", "newest", "--why", "x"), "The version is the newest one already."),
    ],
)
def test_what_cannot_be_is_refused(job: Job, arguments: tuple[str, ...], message: str) -> None:
    command, *options = [job.versions()[-1] if one == "newest" else one for one in arguments]
    done = job.seqloom(command, job.root, *options)
    assert (done.returncode, done.stderr.splitlines()[0]) == (2, message)


def test_a_root_without_versions_is_refused(job: Job, tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    for command in (("versions",), ("verify",), ("rollback", "--why", "x")):
        done = job.seqloom(command[0], tmp_path, *command[1:])
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, "The root has no published version.")
