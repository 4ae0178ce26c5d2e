"""The pipeline of each task: which components, in which order, and what feeds what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tfx.orchestration.pipeline import Pipeline

from pipeline.config import job as config
from pipeline.dag import dag

JOBS: dict[str, dict[str, Any]] = {
    "classifier": {"corpus": {"format": "csv", "path": "x", "label": "y"}},
    "dataset": {"corpus": {"format": "csv", "path": "x"}},
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {
        "corpus": {"format": "csv", "path": "x"},
        "evaluation": {"pairs": {"ws": "ws.tsv"}},
        "gates": {"spearman": {"min": 0.5}},
    },
}


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """TFX makes the folder of its metadata as soon as it is named."""
    monkeypatch.chdir(tmp_path)


TUNE = {"space": {"trainer.units": {"values": [8, 16]}}}


def create(
    task: str, until: str | None = None, goal: config.Goal = "publish", tune: Any = None, **code: str
) -> dict[str, Any]:
    section = {} if tune is None else {"tune": tune}
    job = config.TASKS[task].model_validate({"name": "a", "task": task, **JOBS[task], **section})
    pipeline: Pipeline = dag.create_pipeline(
        job,
        dag.Layout(Path("root")),
        corpus=("folder", "x"),
        schema="schema.pbtxt",
        code={**dict.fromkeys(dag.CODE, "1"), **code},
        run_id="1",
        goal=goal,
        until=until,
    )
    return {node.id: node for node in pipeline.components}


@pytest.mark.parametrize("task", JOBS)
def test_a_task_has_its_components(task: str) -> None:
    assert create(task).keys() == set(config.COMPONENTS[task])


@pytest.mark.parametrize("task", ["classifier", "tagger", "word2vec"])
def test_models_are_made_and_judged_in_the_order_that_is_shown(task: str) -> None:
    # Of the components before them TFX runs those without inputs first.
    shown = config.COMPONENTS[task]
    later = shown[shown.index("SequenceTransform") :]
    assert tuple(create(task))[-len(later) :] == later


def test_word_vectors_are_judged_by_their_sets_and_not_by_the_corpus() -> None:
    nodes = create("word2vec")
    (examples,) = nodes["Evaluator"].inputs["examples"].get_data_dependent_node_ids()
    assert examples == "EvaluationSets"
    assert json.loads(nodes["Evaluator"].exec_properties["example_splits"]) == ["test"]
    (examples,) = create("classifier")["Evaluator"].inputs["examples"].get_data_dependent_node_ids()
    assert examples == "CorpusExampleGen"


def test_the_trainer_gets_the_settings_of_its_task() -> None:
    custom = json.loads(create("word2vec")["Trainer"].exec_properties["custom_config"])
    assert custom["training"] == "trainer.word2vec.training:WORD2VEC"
    assert json.loads(custom["settings"])["dimensions"] == 100


def test_the_code_of_what_trains_is_that_of_the_task_of_the_job() -> None:
    jobs = {task: config.TASKS[task].model_validate({"name": "a", "task": task, **JOBS[task]}) for task in JOBS}
    found = {task: dag.code_digests(job) for task, job in jobs.items()}
    assert all(digests.keys() == dag.CODE.keys() for digests in found.values())
    differ = {name for name in dag.CODE if len({digests[name] for digests in found.values()}) > 1}
    assert differ == {"Trainer", "Tuner", "LearningCheck"}
    assert len({digests["Trainer"] for digests in found.values()}) == len(JOBS)


def test_edited_code_changes_what_the_cache_is_keyed_by() -> None:
    before = create("word2vec")
    after = create("word2vec", EvaluationSets="2", Evaluator="2")
    changed = {name for name, node in before.items() if node.exec_properties != after[name].exec_properties}
    assert changed == {"EvaluationSets", "Evaluator"}


def test_a_run_until_the_sets_trains_nothing() -> None:
    assert "Trainer" not in create("word2vec", until="EvaluationSets")
    assert {"EvaluationSets", "Trainer", "Baseline"} < create("word2vec", until="Evaluator").keys()


def test_a_search_and_a_check_train_nothing() -> None:
    data = set(config.COMPONENTS["dataset"])
    assert create("classifier", goal="tune", tune=TUNE).keys() == {*data, "Tuner"}
    assert create("classifier", goal="check").keys() == {*data, "LearningCheck"}
    assert create("word2vec", goal="check").keys() == data
    assert create("dataset", goal="check").keys() == data


def test_the_tuner_is_keyed_by_its_space_and_its_code_but_not_by_who_uses_its_result() -> None:
    def key(tune: dict[str, Any], **code: str) -> str:
        text: str = create("classifier", goal="tune", tune=tune, **code)["Tuner"].exec_properties["custom_config"]
        return text

    assert json.loads(json.loads(key(TUNE))["tune"]) == TUNE
    assert key({**TUNE, "use": True}) == key(TUNE)
    assert key({**TUNE, "seed": 2}) != key(TUNE)
    assert key(TUNE, Tuner="2") != key(TUNE)
    assert key(TUNE, Trainer="2") == key(TUNE)


def test_the_trainer_takes_tuned_hyperparameters_where_the_job_says_so() -> None:
    nodes = create("classifier", tune={**TUNE, "use": True})
    (source,) = nodes["Trainer"].inputs["hyperparameters"].get_data_dependent_node_ids()
    assert source == config.BEST_HYPERPARAMETERS
    shown = config.ClassifierConfig.model_validate(
        {"name": "a", "task": "classifier", **JOBS["classifier"], "tune": {**TUNE, "use": True}}
    ).components
    assert nodes.keys() == set(shown)
    assert shown.index(config.BEST_HYPERPARAMETERS) + 1 == shown.index("Trainer")
    assert config.BEST_HYPERPARAMETERS not in create("classifier", tune=TUNE)
    assert config.BEST_HYPERPARAMETERS in create("classifier", until="Trainer", tune={**TUNE, "use": True})
