"""The presentation of a run on a terminal and in a file."""

import io
import re

import pytest
from rich.console import Console

from pipeline.console.live import RunConsole
from pipeline.console.tables import runs_table
from pipeline.runs import record as history
from pipeline.runs.details import AnomalyDetails
from pipeline.runs.state import ComponentState
from trainer.jobs import progress

ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
NAMES = ("CorpusExampleGen", "StatisticsGen", "Trainer", "Evaluator")


def play(console):
    """A small run, as a runner reports it."""
    console.start(NAMES)
    console.component("CorpusExampleGen", ComponentState.RUNNING)
    progress.report(500, None, "records")
    progress.report(1200, None, "records")
    console.component("CorpusExampleGen", ComponentState.DONE, seconds=4.0)
    console.component("StatisticsGen", ComponentState.CACHED)
    console.component("Trainer", ComponentState.RUNNING)
    for epoch in (1, 2):
        for step in (1, 2, 3):
            values = {"epoch": epoch, "epochs": 2, "loss": 0.5 / (epoch * step), "tokens_per_second": 45210.4}
            progress.report((epoch - 1) * 3 + step, 6, "steps", values)
    console.message("The device is a CPU.")
    console.component("Trainer", ComponentState.DONE, seconds=75.2)
    console.component("Evaluator", ComponentState.FAILED, seconds=0.5)


def search(console):
    """A search of two trials, as a runner reports it."""
    console.start(("Tuner",))
    console.component("Tuner", ComponentState.RUNNING)
    for trial in (1, 2):
        with progress.within({"trial": trial, "trials": 2, "best_eval_loss": 0.5}):
            progress.report(1, 2, "documents", {"epoch": 1, "epochs": 1, "loss": 0.9})
            progress.report(2, 2, "documents", {"epoch": 1, "epochs": 1, "loss": 0.8})
        progress.report(trial, 2, "trials", {"best_eval_loss": 0.5 / trial})
    console.component("Tuner", ComponentState.DONE, seconds=1.0)


def finished(root, **changes):
    metrics = {"source=web": {"accuracy": 0.8, "loss": 0.5}, "overall": {"accuracy": 0.87654, "loss": 0.3}}
    run = history.new_run(root, "small").updated(
        metrics={**metrics, "source=print": {"accuracy": 0.9}},
        verdict=history.Verdict(blessed=True, reasons=("accuracy 0.877 is at least 0.8",)),
        state="pushed",
        pushed=history.Pushed(version="17", path=f"{root}/serving/17"),
    )
    return run.updated(finished=run.started, **changes)


@pytest.fixture
def plain():
    return Console(file=io.StringIO(), width=100)


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=150, height=40)


def lines_of(console):
    return [" ".join(line.split()) for line in ESCAPES.sub("", console.file.getvalue()).splitlines()]


RUN = """\
CorpusExampleGen: running
CorpusExampleGen: done, 4.0 s, 1,200 records, 300/s
StatisticsGen: cached
Trainer: running
Trainer: epoch 1/2, steps 3/6, loss 0.1667, 45,210 tokens/s
The device is a CPU.
Trainer: epoch 2/2, steps 6/6, loss 0.08333, 45,210 tokens/s
Trainer: done, 1 min 15 s
Evaluator: failed, 0.5 s"""
SEARCH = """\
Tuner: running
Tuner: trial 1/2, epoch 1/1, documents 2/2, best eval loss 0.5, loss 0.8
Tuner: trials 1/2, best eval loss 0.5
Tuner: trial 2/2, epoch 1/1, documents 2/2, best eval loss 0.5, loss 0.8
Tuner: trials 2/2, best eval loss 0.25
Tuner: done, 1.0 s"""


@pytest.mark.parametrize(("play", "expected"), [(play, RUN), (search, SEARCH)])
def test_plain_lines_are_printed_without_a_terminal(plain, play, expected):
    with RunConsole(plain) as shown:
        play(shown)
    assert lines_of(plain) == expected.splitlines()


LABEL = {"split": "train", "feature": "label", "kind": "domain", "what": "label has values that are not classes"}
LABEL |= {"expected": "one of 'bad', 'good'", "found": "'[ugly]' 4 times", "ids": ["d30", "d31"]}
DRIFT = {"split": "eval", "feature": "source", "kind": "drift", "what": "source moved", "expected": "0.3"}
ANOMALIES = [AnomalyDetails(**LABEL), AnomalyDetails(**DRIFT, found="0.4", warning=True)]


def test_anomalies_are_a_line_each_or_a_table_on_a_terminal(plain, terminal):
    RunConsole(plain).anomalies(ANOMALIES)
    assert lines_of(plain) == [
        "Anomaly in train, label:domain: label has values that are not classes; "
        "expected one of 'bad', 'good'; found '[ugly]' 4 times; documents d30, d31",
        "Warning in eval, source:drift: source moved; expected 0.3; found 0.4",
    ]
    RunConsole(terminal).anomalies([])
    assert terminal.file.getvalue() == ""
    RunConsole(terminal).anomalies(ANOMALIES)
    lines = lines_of(terminal)
    assert "split feature what expected found documents" in lines
    row = "train label:domain label has values that are not classes one of 'bad', 'good' '[ugly]' 4 times d30"
    assert lines[lines.index(row) + 1] == "d31"
    assert "eval source:drift source moved 0.3 0.4" in lines


def test_a_terminal_shows_a_table_that_ends_with_the_last_states(terminal):
    with RunConsole(terminal) as shown:
        play(shown)
    text = "\n".join(lines_of(terminal))
    last = text[text.rindex("component") :].split()
    assert last[:5] == ["component", "state", "records", "records/s", "seconds"]
    rows = "CorpusExampleGen done 1,200 300 4.0 StatisticsGen cached Trainer done 75.2 Evaluator failed 0.5"
    assert last[6:] == rows.split()
    assert "The device is a CPU." in text


def render(console):
    view = Console(file=io.StringIO(), width=100)
    view.print(console._render())
    return view.file.getvalue()


def test_the_table_shows_progress_while_a_component_runs(plain):
    with RunConsole(plain) as shown:
        shown.start(NAMES)
        assert render(shown).count("waiting") == 4
        shown.component("CorpusExampleGen", ComponentState.RUNNING)
        progress.report(1234, None, "records")
        row = next(line for line in render(shown).splitlines() if "CorpusExampleGen" in line).split()
        assert row[:3] == ["CorpusExampleGen", "running", "1,234"]
        assert float(row[3].replace(",", "")) > 0
        shown.component("CorpusExampleGen", ComponentState.DONE)
        shown.component("Trainer", ComponentState.RUNNING)
        progress.report(3, 6, "steps", {"epoch": 1, "epochs": 2, "loss": 0.25})
        assert re.search(r"━{12} +epoch 1/2, steps 3/6, loss 0.25", render(shown))  # half of 24
        shown.component("Trainer", ComponentState.DONE)
        assert "epoch" not in render(shown)


def test_progress_reaches_no_other_handler(plain, capfd, caplog):
    with RunConsole(plain) as shown:
        shown.start(NAMES)
        progress.report(1, 2, "steps")
    assert (caplog.records, capfd.readouterr()) == ([], ("", ""))
    assert (progress.logger.handlers, progress.logger.propagate) == ([], True)


@pytest.mark.parametrize(("error", "state"), [(RuntimeError, "failed"), (KeyboardInterrupt, "interrupted")])
def test_the_running_component_of_a_broken_run_gets_a_state(plain, error, state):
    def broken():
        with RunConsole(plain) as shown:
            shown.start(NAMES)
            shown.component("Trainer", ComponentState.RUNNING)
            raise error

    with pytest.raises(error):
        broken()
    assert lines_of(plain)[-1].startswith(f"Trainer: {state}, ")


def test_the_result_has_metrics_verdict_model_and_log(tmp_path):
    console = Console(file=io.StringIO(), width=60)
    run = finished(tmp_path)
    RunConsole(console).result(run)
    lines = lines_of(console)
    assert [lines[1], *lines[3:6]] == [
        "slice accuracy loss",
        "overall 0.8765 0.3000",
        "print 0.9000",
        "web 0.8000 0.5000",
    ]
    assert lines[-4:] == [
        "Published as version 17.",
        "- accuracy 0.877 is at least 0.8",
        f"Model: {tmp_path}/serving/17",
        f"Log: {tmp_path}/logs/{run.run_id}/run.log",
    ]


def test_paths_below_the_working_folder_are_shown_from_there(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    console = Console(file=io.StringIO(), width=60)
    run = finished(tmp_path)
    RunConsole(console).result(run)
    assert lines_of(console)[-2:] == ["Model: serving/17", f"Log: logs/{run.run_id}/run.log"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": "unchanged", "pushed": None}, "Nothing new to publish"),
        ({"state": "not_blessed", "pushed": None}, "Not published: the model did not pass its gates."),
        ({"state": "failed", "error": "The corpus has [no] files."}, "The corpus has [no] files."),
        ({"state": "interrupted"}, "run the same command again to resume"),
        ({"state": "done"}, "as --until requested"),
        ({"state": "transformed"}, "Done: the examples are checked and transformed."),
    ],
)
def test_each_state_of_a_run_has_its_sentence(tmp_path, plain, changes, sentence):
    RunConsole(plain).result(finished(tmp_path, **changes))
    assert sentence in plain.file.getvalue()


def test_the_table_of_runs_fits_80_columns(tmp_path):
    states = {"CorpusExampleGen": "cached", "SequenceTransform": "cached", "Trainer": "done"}
    components = [history.ComponentRecord(name=name, state=state, seconds=61) for name, state in states.items()]
    console = Console(file=io.StringIO(), width=80)
    console.print(runs_table([finished(tmp_path, components=components)]))
    text = " ".join(lines_of(console))
    parts = ("cached CorpusExampleGen, SequenceTransform", "Trainer 1 min 01 s", "overall 0.8765", "version 17")
    assert ([part for part in parts if part not in text], "…" in text) == ([], False)


TRIALS = [
    {"trial": 2, "eval_loss": 0.31, "values": {"trainer.units": 64, "trainer.learning_rate": 0.00123456}},
    {"trial": 1, "eval_loss": 0.42, "values": {"trainer.units": 32, "trainer.learning_rate": 0.02}},
]
CORPUS = {"records": 1203, "quarantined": 3, "documents": {"train": 1000, "eval": 200}}
LEARNING = {"chance_loss": 0.6931, "start_loss": 0.7012, "overfitted_loss": 0.05, "steps": 40}
LEARNED = ["initial loss 0.7012 (uniform guess: 0.6931)", "to a loss of 0.0500 in 40 steps"]
COUNTS = ["Nothing was trained or published.", "1,203 records: 1,000 train, 200 eval; 3 quarantined"]


@pytest.mark.parametrize(
    ("state", "details", "parts"),
    [
        (
            "tuned",
            {"tuning": {"objective": "eval_loss", "trials": TRIALS, "path": "root/Tuner/7"}},
            [
                "trial eval loss units learning_rate\n",
                "\n2 0.3100 64 0.001235\n1 0.4200 32 0.02\n",
                "best eval_loss 0.3100 in trial 2: trainer.units 64, trainer.learning_rate 0.001235",
                "Best: root/Tuner/7",
            ],
        ),
        ("checked", {"corpus": CORPUS}, [*COUNTS, "learning check skipped"]),
        ("checked", {"corpus": CORPUS, "learning_check": LEARNING}, [*COUNTS, *LEARNED]),
    ],
)
def test_a_search_and_a_check_end_with_their_findings(tmp_path, plain, state, details, parts):
    with RunConsole(plain) as shown:
        shown.result(history.new_run(tmp_path, "small").updated(state=state, details=details))
    text = "\n".join(lines_of(plain))
    assert [part for part in parts if part not in text] == []


def test_metrics_without_a_value_and_low_coverage_are_named(tmp_path, plain):
    details = {
        "undefined": ["auc has no value: the test split has no document of neg"],
        "transform": {"vocabulary": {"words": 9}, "train": {"coverage": 0.31}, "eval": {"coverage": 0.5}},
    }
    RunConsole(plain).result(finished(tmp_path, details=details))
    found = [line for line in lines_of(plain) if line.startswith("- ")]
    assert found == [
        "- the vocabulary covers only 31.0% of the tokens of the train split",
        "- accuracy 0.877 is at least 0.8",
        "- auc has no value: the test split has no document of neg",
    ]


BASELINES = {
    "most_frequent": {"labels": ["good"], "metrics": {"accuracy": 0.5}},
    "linear": {"documents": 40_000, "train_documents": 80_000, "metrics": {"accuracy": 0.87654, "loss": 0.25}},
}
SAMPLED = "- the linear model is fitted to 40,000 of 80,000 train documents"
EQUAL = "- the model does not beat the linear model: accuracy 0.8765 equals the linear model's 0.8765"
BELOW = "- the model does not beat the linear model: accuracy 0.8765 is below the linear model's 0.9000"
SMALL = {"metric": "accuracy", "documents": 45, "low": 0.7381, "high": 0.9373}
UNSURE = "- the test split is small: from 45 documents, the 95 % interval (Wilson) of accuracy is 0.7381 to 0.9373"


@pytest.mark.parametrize(
    ("linear", "small", "expected"),
    [
        ({}, None, [SAMPLED, EQUAL]),
        ({"documents": 80_000, "metrics": {"accuracy": 0.9}}, [SMALL], [BELOW, UNSURE]),
        ({"documents": 80_000, "metrics": {"accuracy": 0.8}}, None, []),
        ({"documents": 80_000, "metrics": {}}, None, []),
    ],
)
def test_simple_models_are_shown_and_compared(tmp_path, plain, linear, small, expected):
    details = {"baselines": {**BASELINES, "linear": {**BASELINES["linear"], **linear}}, "small_test": small}
    RunConsole(plain).result(finished(tmp_path, details=details))
    lines = lines_of(plain)
    simple = details["baselines"]["linear"]["metrics"]
    values = " ".join(f"{simple[name]:.4f}" for name in ("accuracy", "loss") if name in simple)
    assert f"linear model {values}".strip() in lines
    assert "most frequent class 0.5000" in lines
    assert [line for line in lines if line.startswith("- ")][:-1] == expected


@pytest.fixture
def clock(monkeypatch):
    """The seconds that the console reads, to set."""
    now = [0.0]
    monkeypatch.setattr("time.monotonic", lambda: now[0])
    return now


def test_a_long_step_is_named_with_its_batch_and_its_time(plain, clock):
    with RunConsole(plain) as console:
        console.component("Trainer", ComponentState.RUNNING)
        clock[0] = 30.0
        progress.working("step 3", (1, 100_000))
        clock[0] = 125.0
        console._say()
        progress.report(5, 9, "documents")
        console._say()
        console.component("Trainer", ComponentState.DONE, seconds=130.0)
        console._say()
    assert lines_of(plain)[1:3] == [
        "Trainer: running, 2 min 05 s, step 3, batch of 1 x 100,000 tokens, for 1 min 35 s",
        "Trainer: running, 2 min 05 s, documents 5/9",
    ]
    assert sum("running, " in line for line in lines_of(plain)) == 2


def test_the_table_names_a_step_only_after_some_seconds(terminal, clock):
    with RunConsole(terminal) as console:
        console.component("Trainer", ComponentState.RUNNING)
        progress.working("step 3", (1, 100_000))
        for clock[0], named in ((4.0, False), (6.0, True)):
            file = io.StringIO()
            Console(file=file, width=100).print(console._render())
            assert ("step 3, batch of 1 x 100,000 tokens, for 6.0 s" in file.getvalue()) == named
