"""What every task declares holds together; a new task is tested by its line in the registry."""

from __future__ import annotations

import inspect
import json
import math
from pathlib import Path

import pytest
from tensorflow_model_analysis.metrics import metric_specs

from components.evaluator.figure_metric import COUNTS
from pipeline.config.job import Job
from pipeline.dag import dag, gates
from pipeline.tasks import loading
from pipeline.tasks.answers import open_answers
from pipeline.tasks.registry import TASKS, task_of
from tests.contract.cases import CASES, TRAINED, Case
from trainer.data.kinds import KINDS
from trainer.errors import JobError
from trainer.jobs import dotted
from trainer.jobs.counting import Counts
from trainer.settings import Settings

EXAMPLES = [loading.load(path) for path in sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))]


def test_every_task_takes_a_kind_of_corpus_and_every_kind_trains_a_model() -> None:
    assert {case.task.name for case in CASES} == set(TASKS)
    assert {case.kind.name for case in TRAINED} == set(KINDS)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_job_knows_its_task(case: Case) -> None:
    assert task_of(case.job) is case.task
    assert case.job.task == case.task.name


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_what_trains_is_imported_and_bears_the_name_of_the_task(case: Case) -> None:
    training = dotted.load(case.task.training(case.job))
    assert training.name == case.task.name
    assert training.settings is type(case.job.trainer)


@pytest.mark.parametrize("job", [*(case.job for case in CASES), *EXAMPLES], ids=lambda job: f"{job.task}-{job.name}")
def test_every_section_survives_the_way_into_a_component(job: Job) -> None:
    sections = [value for _, value in job if isinstance(value, Settings)]
    assert {"CorpusSettings", "TransformSettings"} <= {type(section).__name__ for section in sections}
    for section in sections:
        assert type(section).model_validate_json(section.model_dump_json()) == section


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_metrics_are_computable_and_gates_may_name_one(case: Case) -> None:
    metrics = case.task.metrics(case.job)
    assert any(metric.gated for metric in metrics.values())
    for name, metric in metrics.items():
        counts = dotted.load(f"{metric.figure.partition(':')[0]}:{COUNTS}")
        assert issubclass(counts, Counts)
        assert math.isnan(dotted.load(metric.figure)(counts())), name


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_gate_on_a_misspelt_metric_is_refused_with_the_nearest_name(case: Case, tmp_path: Path) -> None:
    names = [name for name, metric in case.task.metrics(case.job).items() if metric.gated]
    for name in names or ["loss"]:
        values = json.loads(case.job.model_dump_json(by_alias=True, exclude_unset=True))
        (tmp_path / "job.yaml").write_text(json.dumps({**values, "gates": {f"{name[:-1]}_": {"min": 0}}}))
        with pytest.raises(JobError) as caught:
            loading.load(tmp_path / "job.yaml")
        assert (f"did you mean {name}?" if names else "cannot have gates") in str(caught.value)


@pytest.mark.parametrize("case", TRAINED, ids=str)
def test_the_evaluator_is_asked_for_every_metric(case: Case) -> None:
    config = gates.eval_config(case.job)
    computations = metric_specs.to_computations(list(config.metrics_specs), config)
    computed = {key.name for computation in computations for key in computation.keys}
    assert computed >= {*case.task.metrics(case.job), "documents"}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_components_run_in_the_order_that_is_declared(case: Case) -> None:
    goals = ("publish", "tune", "check") if case.task.learns(case.job) else ("publish",)
    for goal in goals:
        components = case.task.components(case.job, goal)
        assert len(set(components)) == len(components)
        assert ("Trainer" in components) == (goal == "publish" and bool(case.task.training(case.job)))
    assert set(dag.code_modules(case.job)) >= {"Trainer", "Evaluator", "CorpusExampleGen"}


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_answers_are_imported_and_made_of_a_folder(task) -> None:
    for place in task.answers().values():
        (parameter,) = inspect.signature(dotted.load(place)).parameters.values()
        assert parameter.name == "directory"


@pytest.mark.parametrize("task", TASKS.values(), ids=lambda task: task.name)
def test_a_command_that_a_task_does_not_answer_is_refused_with_those_that_it_does(task, tmp_path) -> None:
    (tmp_path / "assets.extra").mkdir()
    (tmp_path / "assets.extra" / "seqloom.json").write_text(f'{{"task": "{task.name}", "digest": ""}}')
    with pytest.raises(JobError) as caught:
        open_answers(tmp_path, "no-command")
    assert task.name in str(caught.value)
    assert all(command in str(caught.value) for command in task.answers())
