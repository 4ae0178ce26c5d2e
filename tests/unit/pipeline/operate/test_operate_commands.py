"""`seqloom schedule` and `seqloom backfill`: usage errors, emission, and the table; runs are tested end to end."""

import datetime
import json
import re

import pytest
import yaml
from typer.testing import CliRunner

from pipeline.cli import app

DATES = 'name: daily\ntask: dataset\ncorpus: {format: text, path: "{YYYY}-{MM}-{DD}.txt"}\n'
NUMBERS = 'name: counted\ntask: dataset\ncorpus: {format: text, path: "{SPAN}.txt", rolling: 2}\n'
PLAIN = "name: plain\ntask: dataset\ncorpus: {format: text, path: '*.txt'}\n"
PERIOD = ("--from", "2026-01-01", "--to", "2026-01-04")
NIGHTLY = ("--cron", "15 3 * * *", "--timezone", "Europe/Berlin")


@pytest.fixture
def invoke(tmp_path):
    """Runs a command on a job of a YAML in a folder with files of spans."""

    def run(command: str, text: str, *options: str):
        for name in ("2026-01-01", "2026-01-03", "2", "3", "7"):
            (tmp_path / f"{name}.txt").write_text("text\n")
        for path in tmp_path.glob("*-*.txt" if "SPAN" in text else "?.txt"):
            path.unlink()
        (tmp_path / "job.yaml").write_text(text)
        arguments = [command, str(tmp_path / "job.yaml"), "--root", str(tmp_path / "root"), *options]
        return CliRunner().invoke(app.app, arguments, env={"COLUMNS": "80"})

    return run


def rows(text: str) -> dict[str, list[str]]:
    """The cells of a table by the span."""
    found = [re.split(r"  +", line.strip()) for line in text.splitlines() if line.strip()]
    return {cells[0]: cells[1:] for cells in found[2:]}


@pytest.mark.parametrize(
    ("command", "text", "options", "expected"),
    [
        ("schedule", DATES, ("--cron", "x"), "The cron expression is invalid.\n"),
        ("schedule", DATES, ("--cron", "* * * * *", "--timezone", "Mars"), "The time zone is unknown.\n"),
        ("schedule", DATES, (*NIGHTLY, "--deadline", "soon"), "The duration is invalid.\n"),
        ("schedule", PLAIN, (*NIGHTLY, "--on", "new-span"), "--on new-span needs a corpus with spans.\n"),
        ("schedule", PLAIN, (*NIGHTLY, "--days-back", "1"), "--days-back needs a corpus with spans.\n"),
        ("schedule", DATES, (*NIGHTLY, "--on", "new-span", "--days-back", "1"), "--days-back and --on new-span cannot"),
        ("schedule", DATES, (*NIGHTLY, "--set", "corpus.span=4"), "corpus.span cannot be fixed here.\n"),
        ("schedule", DATES, ("--cron", "0 3 L * *", "--emit", "k8s"), "L and # in 0 3 L * * cannot be converted"),
        ("backfill", PLAIN, PERIOD, "A backfill needs a corpus with spans.\n"),
        (
            "backfill",
            DATES,
            ("--from", "1", "--to", "2026-01-01"),
            "The span is invalid.\n  where: --from\n  found: 1\n",
        ),
        ("backfill", DATES, ("--from", "2026-01-04", "--to", "2026-01-01"), "The period is empty.\n"),
    ],
)
def test_usage_errors(invoke, tmp_path, command, text, options, expected):
    done = invoke(command, text, *options)
    assert done.exit_code == 2
    assert done.stderr.startswith(expected)
    assert not (tmp_path / "root").exists()


def test_a_period_without_spans_names_those_that_exist(invoke):
    done = invoke("backfill", DATES, "--from", "2027-01-01", "--to", "2027-01-02")
    assert done.exit_code == 1
    assert "The period has no spans." in done.stderr
    assert "spans from 2026-01-01 to 2026-01-03" in done.stderr


def test_the_table_of_dates_lists_those_without_files(invoke):
    done = invoke("backfill", DATES, *PERIOD, "--dry-run")
    assert (done.exit_code, done.stderr) == (0, "")
    states = {name: cells[0] for name, cells in rows(done.stdout).items()}
    assert states == {
        "2026-01-01": "waiting",
        "2026-01-02": "no files",
        "2026-01-03": "waiting",
        "2026-01-04": "no files",
    }


def test_the_table_of_numbers_and_spans_that_are_stale_by_their_window(invoke, tmp_path):
    first = invoke("backfill", NUMBERS, "--from", "1", "--to", "9", "--dry-run")
    assert {name: cells[0] for name, cells in rows(first.stdout).items()} == dict.fromkeys("237", "waiting")
    from pipeline.operate.corpus_spans import CorpusSpans
    from pipeline.tasks.loading import load

    stamps = CorpusSpans(load(tmp_path / "job.yaml")).stamps()
    ended = "2026-05-01T10:00:00Z"
    spans = {
        str(number): {"state": state, "code": code, "stamp": stamps[number], "finished": ended}
        for number, state, code in ((2, "done", 0), (3, "refused", 3), (7, "failed", 1))
    }
    (tmp_path / "root" / "operate").mkdir(parents=True)
    (tmp_path / "root" / "operate" / "state.json").write_text(json.dumps({"spans": spans}))
    period = ("--from", "1", "--to", "9", "--dry-run")
    local = datetime.datetime.fromisoformat("2026-05-01T10:00:00+00:00").astimezone()
    shown = f"{local:%Y-%m-%d %H:%M:%S}"
    assert CorpusSpans(load(tmp_path / "job.yaml")).stamps() == stamps
    done = CliRunner().invoke(
        app.app, ["backfill", str(tmp_path / "job.yaml"), "--root", str(tmp_path / "root"), *period]
    )
    assert rows(done.stdout) == {"2": ["done", shown, "0"], "3": ["refused", shown, "3"], "7": ["failed", shown, "1"]}
    (tmp_path / "2.txt").write_text("another text\n")
    done = CliRunner().invoke(
        app.app, ["backfill", str(tmp_path / "job.yaml"), "--root", str(tmp_path / "root"), *period]
    )
    assert [cells[0] for cells in rows(done.stdout).values()] == ["stale", "stale", "failed"]


def test_emitted_commands_start_the_same_schedule_once(invoke, tmp_path):
    options = (*NIGHTLY, "--days-back", "1", "--deadline", "6h", "--set", "transform.min_count=2")
    done = invoke("schedule", DATES, *options, "--emit", "k8s")
    assert (done.exit_code, done.stderr) == (0, "")
    spec = yaml.safe_load(done.stdout)["spec"]
    assert (spec["timeZone"], spec["startingDeadlineSeconds"]) == ("Europe/Berlin", 21600)
    (container,) = spec["jobTemplate"]["spec"]["template"]["spec"]["containers"]
    assert container["command"] == [
        *("seqloom", "schedule", str(tmp_path / "job.yaml"), *NIGHTLY, "--root", str(tmp_path / "root")),
        *("--once", "--catch-up", "all", "--deadline", "21600s", "--days-back", "1", "--set", "transform.min_count=2"),
    ]
    text = invoke("schedule", DATES, *NIGHTLY, "--catch-up", "none", "--emit", "systemd").stdout
    assert "Persistent=false" in text
    assert '"--catch-up" "last"' in text
    assert not (tmp_path / "root").exists()
