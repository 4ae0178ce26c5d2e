"""From a table that nobody has described to a prediction: `seqloom init`, `run` and `predict`."""

import csv

import pytest

pytestmark = pytest.mark.slow

SMALL = ("trainer.epochs=3", "trainer.units=8", "trainer.embedding=8", "trainer.batch_tokens=128")


def test_three_commands_lead_from_a_table_to_a_prediction(new_job, ask):
    job = new_job("three-commands")
    with (job.folder / "data.csv").open(newline="") as file, (job.folder / "My films.csv").open("w") as copy:
        csv.writer(copy, delimiter=";").writerows(csv.reader(file))
    done = job.seqloom("init", "My films.csv")
    assert (done.returncode, done.stderr) == (0, "")
    assert "  seqloom run 'My films.yaml'\n  seqloom predict runs/my-films" in done.stdout
    settings = [part for value in (*SMALL, "trainer.learning_rate=0.02") for part in ("--set", value)]
    done = job.seqloom("run", "My films.yaml", *settings)
    assert done.returncode == 0, done.stdout + done.stderr
    answers = ask(job, "runs/my-films", "Bright and superb, warm and witty.", "Awful, dull, poor and stale.")
    assert [answer["label"] for answer in answers] == ["1", "0"]
