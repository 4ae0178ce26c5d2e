"""What is printed holds no control character of names, keys, labels, sources or answers."""

import io
import json
import unicodedata

import pytest
import ruamel.yaml
from google.protobuf import text_format
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from tensorflow_metadata.proto.v0 import schema_pb2
from typer.testing import CliRunner

from pipeline.cli import app
from pipeline.cli import schema as schema_command
from pipeline.cli.querying.words import print_answers
from pipeline.console import printing
from pipeline.console.live import RunConsole
from pipeline.console.tables import runs_table
from pipeline.runs import record as history
from pipeline.runs.details import AnomalyDetails, CorpusDetails, Details, TrialDetails, TuningDetails
from pipeline.runs.state import ComponentState

EVIL = "a\x1b[2J[/]\x07\x7f\x85\x9b1m\u202etxt\u2066"
EVIL_YAML = printing.visible(json.dumps(EVIL), printing.unicode_escape)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(EVIL))


def harmless(text: str) -> bool:
    """Whether a terminal shows the text as it is: no control, and no bidirectional embedding, override or isolate."""
    directions = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
    return not any(
        unicodedata.bidirectional(character) in directions
        or (unicodedata.category(character) in {"Cc", "Cs"} and character not in "\n\t")
        for character in text
    )


@given(TEXTS)
def test_visible_text_is_harmless_and_harmless_text_stays(text):
    assert harmless(printing.visible(text))
    assert not harmless(text) or printing.visible(text) == text


@given(st.dictionaries(TEXTS, TEXTS | st.floats(allow_nan=False)))
def test_printed_json_is_harmless_and_keeps_its_value(value):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", output := io.StringIO())
        print_answers([value])
    assert harmless(output.getvalue())
    assert json.loads(output.getvalue()) == value


@settings(max_examples=25)
@given(TEXTS.filter(bool))
def test_a_printed_schema_is_harmless_and_keeps_its_values(text):
    schema = schema_pb2.Schema(feature=[schema_pb2.Feature(name=text)])
    printed = printing.visible(text_format.MessageToString(schema, as_utf8=True), schema_command._octal_escape)
    assert harmless(printed)
    assert text_format.Parse(printed, schema_pb2.Schema()) == schema


def test_a_printed_configuration_is_harmless_and_keeps_its_values(tmp_path):
    path = tmp_path / "job.yaml"
    corpus = f"{{format: csv, path: x.csv, label: {EVIL_YAML}, labels: {{{EVIL_YAML}: слово, x: y}}}}"
    path.write_text(f"name: small\ntask: classifier\ncorpus: {corpus}\n", encoding="utf-8")
    result = CliRunner().invoke(app.app, ["config", "show", str(path)])
    assert harmless(result.stdout)
    shown = ruamel.yaml.YAML(typ="safe", pure=True).load(result.stdout)["corpus"]
    assert (shown["label"], shown["labels"]) == (EVIL, {EVIL: "слово", "x": "y"})
    assert "слово" in result.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ["config", "check", EVIL],
        ["config", "check", "job.yaml", EVIL],
        ["run", "job.yaml", f"--{EVIL}"],
        ["run", "job.yaml", "--set", f"{EVIL}=1"],
        [EVIL],
        ["runs", EVIL],
        ["predict", EVIL],
        ["schema", "diff", EVIL, EVIL],
        ["config", "check", "bytes\udcff.yaml"],
    ],
)
def test_errors_are_harmless(tmp_path, monkeypatch, arguments):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "job.yaml").write_text("name: small\n")
    result = CliRunner().invoke(app.app, arguments)
    assert result.exit_code == 2
    assert harmless(result.output)
    assert "a\\x1b[2J" in result.output or "bytes\\udcff" in result.output


def test_what_a_run_shows_is_harmless(tmp_path):
    anomaly = AnomalyDetails(split=EVIL, feature=EVIL, kind=EVIL, what=EVIL, expected=EVIL, found=EVIL, ids=(EVIL,))
    trials = (TrialDetails(trial=1, values={EVIL: EVIL}, **{EVIL: 0.5}),)
    details = Details(
        corpus=CorpusDetails(records=9, quarantined=1, reasons={EVIL: 1}),
        tuning=TuningDetails(objective=EVIL, path=EVIL, trials=trials),
    )
    run = history.new_run(tmp_path / EVIL, EVIL).updated(
        state="failed",
        components=[history.ComponentRecord(name=EVIL, state="failed")],
        metrics={f"source={EVIL}": {EVIL: 1.0}, "overall": {EVIL: 1.0}},
        verdict=history.Verdict(blessed=False, reasons=(EVIL,)),
        pushed=history.Pushed(version=EVIL, path=EVIL),
        error=EVIL,
        details=details,
    )
    for terminal in (False, True):
        file = io.StringIO()
        console = Console(file=file, width=300, force_terminal=terminal, color_system=None, highlight=False)
        with RunConsole(console) as shown:
            shown.message(EVIL)
            shown.component("Trainer", ComponentState.DONE, 1.0)
            shown.anomalies([anomaly])
            shown.result(run)
        console.print(runs_table([run]))
        assert harmless(file.getvalue())
        assert file.getvalue().count("[2J[/]") > 15
