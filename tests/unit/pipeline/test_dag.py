"""The pipeline of each task: its components, their order and their channels."""

import json
from pathlib import Path
from typing import Any

import pytest
from tfx.orchestration.pipeline import Pipeline

from components.corpus_example_gen.inputs.patterns import ALL_SPLITS, SplitPattern
from pipeline.config.job import Job
from pipeline.dag import dag
from pipeline.dag.layout import Layout
from pipeline.dag.nodes import Sources
from pipeline.tasks.loading import JOBS
from pipeline.tasks.registry import task_of
from pipeline.tasks.supervised_job import BEST_HYPERPARAMETERS
from pipeline.tasks.task import DATA, WARM_START, Goal

SECTIONS: dict[str, dict[str, Any]] = {
    "classifier": {"corpus": {"format": "csv", "path": "x", "label": "y"}},
    "dataset": {"corpus": {"format": "csv", "path": "x"}},
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {
        "corpus": {"format": "csv", "path": "x"},
        "evaluation": {"pairs": {"ws": "ws.tsv"}},
        "gates": {"spearman": {"min": 0.5}},
    },
}


TUNE = {"space": {"trainer.units": {"values": [8, 16]}}}


def read(task: str, tune: Any = None, **others: Any) -> Job:
    section = {} if tune is None else {"tune": tune}
    return JOBS[task].model_validate({"name": "a", "task": task, **SECTIONS[task], **section, **others})


def create(
    task: str,
    until: str | None = None,
    goal: Goal = "publish",
    tune: Any = None,
    gates: Any = None,
    baselines: str | None = None,
    trainer: Any = None,
    **code: str,
) -> dict[str, Any]:
    others = {"gates": gates, "baselines": baselines, "trainer": trainer}
    job = read(task, tune, **{name: value for name, value in others.items() if value is not None})
    pipeline: Pipeline = dag.create_pipeline(
        job,
        Layout(Path("root")),
        Sources((SplitPattern(ALL_SPLITS, "/folder/x"),), "schema.pbtxt"),
        code={**dict.fromkeys(dag.code_modules(job), "1"), **code},
        run_id="1",
        goal=goal,
        until=until,
    )
    return {node.id: node for node in pipeline.components}


def shown(task: str, **values: Any) -> tuple[str, ...]:
    job = read(task, **values)
    return task_of(job).components(job)


@pytest.mark.parametrize("task", SECTIONS)
def test_a_task_has_its_components_in_the_declared_order(task: str) -> None:
    nodes = tuple(create(task))
    assert set(nodes) == set(shown(task))
    # Of the components before them TFX runs those without inputs first.
    later = shown(task)[shown(task).index("SequenceTransform") :]
    assert nodes[-len(later) :] == later


@pytest.mark.parametrize(
    ("task", "source"),
    [("classifier", "CorpusExampleGen"), ("tagger", "CorpusExampleGen"), ("word2vec", "EvaluationSets")],
)
def test_a_model_is_trained_with_its_settings_and_evaluated_on_the_test_split(task: str, source: str) -> None:
    job, nodes = read(task), create(task)
    custom = json.loads(nodes["Trainer"].exec_properties["custom_config"])
    assert custom["training"] == task_of(job).training(job)
    assert json.loads(custom["settings"]) == json.loads(job.trainer.model_dump_json())
    assert custom["code"] == "1"
    (examples,) = nodes["Evaluator"].inputs["examples"].get_data_dependent_node_ids()
    assert examples == source
    assert json.loads(nodes["Evaluator"].exec_properties["example_splits"]) == ["test"]


def test_edited_code_changes_the_key_of_the_cache() -> None:
    before = create("word2vec")
    after = create("word2vec", EvaluationSets="2", Evaluator="2")
    changed = {name for name, node in before.items() if node.exec_properties != after[name].exec_properties}
    assert changed == {"EvaluationSets", "Evaluator"}


@pytest.mark.parametrize(
    ("task", "goal", "last"),
    [
        ("classifier", "tune", ["Tuner"]),
        *((task, "check", ["LearningCheck"]) for task in ("classifier", "tagger")),
        *((task, "check", []) for task in ("word2vec", "dataset")),
    ],
)
def test_a_search_and_a_check_train_nothing(task: str, goal: Goal, last: list[str]) -> None:
    tune = TUNE if goal == "tune" else None
    assert create(task, goal=goal, tune=tune).keys() == {*DATA, *last}


def test_only_jobs_of_labels_measure_a_linear_model() -> None:
    nodes = create("classifier")
    assert nodes["LinearBaseline"].inputs["examples"].get_data_dependent_node_ids() == {"CorpusExampleGen"}
    assert "linear_baseline" not in nodes["Evaluator"].inputs
    assert json.loads(nodes["LinearBaseline"].exec_properties["figures"]) == {
        "accuracy": "trainer.classifier.metrics.one_label:accuracy",
        "loss": "trainer.classifier.metrics.one_label:mean_loss",
    }
    assert "LinearBaseline" not in {**create("classifier", until="Evaluator"), **create("classifier", baselines="off")}
    assert all("LinearBaseline" not in create(task) for task in SECTIONS if task != "classifier")


def test_a_margin_over_the_linear_model_is_part_of_the_evaluation() -> None:
    gates = {"accuracy": {"min_over_linear": 0.01}, "loss": {"max_over_linear": -0.1, "max": 2}}
    nodes = create("classifier", until="Evaluator", gates=gates)
    assert nodes["Evaluator"].inputs["linear_baseline"].get_data_dependent_node_ids() == {"LinearBaseline"}
    margins = {"accuracy": [0.01, True], "loss": [0.1, False]}
    assert json.loads(nodes["Evaluator"].exec_properties["margins"]) == margins
    comparison = "components.evaluator.executor"
    assert comparison in dag.code_modules(read("classifier", gates=gates))["Evaluator"]
    assert comparison not in dag.code_modules(read("classifier"))["Evaluator"]
    other = create("classifier", gates={"accuracy": {"min_over_linear": 0.02}})["Evaluator"]
    assert other.exec_properties["margins"] != nodes["Evaluator"].exec_properties["margins"]


def test_a_run_ends_with_the_requested_component() -> None:
    assert "Trainer" not in create("word2vec", until="EvaluationSets")
    assert {"EvaluationSets", "Trainer", "Baseline"} < create("word2vec", until="Evaluator").keys()


def test_the_tuner_is_keyed_by_its_space_and_its_code_but_not_by_the_use_of_its_result() -> None:
    def key(tune: dict[str, Any], **code: str) -> Any:
        return create("classifier", goal="tune", tune=tune, **code)["Tuner"].exec_properties["custom_config"]

    assert json.loads(json.loads(key(TUNE))["tune"]) == TUNE
    assert key({**TUNE, "use": True}) == key(TUNE)
    assert key({**TUNE, "seed": 2}) != key(TUNE)
    assert key(TUNE, Tuner="2") != key(TUNE)
    assert key(TUNE, Trainer="2") == key(TUNE)


def test_the_trainer_uses_tuned_hyperparameters_if_the_job_says_so() -> None:
    used = {**TUNE, "use": True}
    nodes = create("classifier", tune=used)
    (source,) = nodes["Trainer"].inputs["hyperparameters"].get_data_dependent_node_ids()
    assert source == BEST_HYPERPARAMETERS
    components = shown("classifier", tune=used)
    assert nodes.keys() == set(components)
    assert components.index(BEST_HYPERPARAMETERS) + 1 == components.index("Trainer")
    assert BEST_HYPERPARAMETERS not in create("classifier", tune=TUNE)
    assert BEST_HYPERPARAMETERS in create("classifier", until="Trainer", tune=used)


@pytest.mark.parametrize("task", ["classifier", "tagger", "word2vec"])
def test_a_warm_start_gives_the_trainer_a_base_model(task: str) -> None:
    nodes = create(task, trainer={"warm_start": True})
    (source,) = nodes["Trainer"].inputs["base_model"].get_data_dependent_node_ids()
    assert source == WARM_START
    assert nodes["Trainer"].inputs["base_model"].type_name == "Model"
    assert WARM_START not in create(task)
