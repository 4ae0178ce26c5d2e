"""`seqloom compile --to kubeflow`: the file, and what the SDK of Kubeflow Pipelines compiles for the same pipeline."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from pipeline.cli.app import app

DATES = 'name: daily\ntask: dataset\ncorpus: {format: text, path: "{YYYY}-{MM}-{DD}.txt"}\n'
PLAIN = """\
name: some_stars
task: classifier
corpus: {format: csv, path: data.csv, label: stars}
resources:
  SequenceTransform: {cpu: 0.5, memory: 1.5}
  Trainer: {cpu: 4, memory: 16, gpu: 2}
"""
IMAGE = f"registry.example:5000/team/seqloom@sha256:{'0123456789abcdef' * 4}"
ACCEPT_3 = '"$0" "$@" || { code=$?; [ "$code" = 3 ] || exit "$code"; }'

NEWER = ("resourceCpuRequest", "resourceMemoryRequest", "resourceType", "resourceCount", "pvcNameParameter")
"""Fields that older versions of the SDK do not write."""

WITH_SDK = """\
import inspect, json, sys, tempfile, yaml
from kfp import compiler, dsl, kubernetes

given, path = json.loads(sys.argv[1]), tempfile.mktemp(suffix=".yaml")

def component(name, label):
    def start(config, root, run_id):
        return ["run", f"{config}", "--root", f"{root}", "--run-id", f"{run_id}"]

    def training(run_id: str, config: str, root: str, epochs: str):
        args = [*start(config, root, run_id), "--set", f"trainer.epochs={epochs}", "--only", name]
        return dsl.ContainerSpec(given["image"], given["command"][name], args)

    def spanned(run_id: str, config: str, root: str, span: str):
        args = [*start(config, root, run_id), "--set", f"corpus.span={span}", "--only", name]
        return dsl.ContainerSpec(given["image"], given["command"][name], args)

    function = spanned if given["spans"] else training
    function.__name__ = label.replace("-", "_")
    return dsl.container_component(function)

def tasks(**inputs):
    made = {}
    for one in given["plan"]:
        name, needs = one["name"], one["resources"]
        run = component(name, given["labels"][name])
        task = run(run_id=dsl.PIPELINE_JOB_ID_PLACEHOLDER, **inputs).after(*[made[each] for each in one["upstream"]])
        task.set_caching_options(False).set_display_name(name)
        task.set_retry(3, backoff_duration="60s", backoff_factor=2, backoff_max_duration="960s")
        if "cpu" in needs:
            task.set_cpu_request(f"{needs['cpu']:g}")
        if "memory" in needs:
            task.set_memory_request(f"{round(needs['memory'] * 1024)}Mi")
        if needs["gpu"]:
            task.set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(needs["gpu"])
        kubernetes.mount_pvc(task, pvc_name=given["claim"], mount_path=given["root"])
        made[name] = task

if given["spans"]:
    @dsl.pipeline(name=given["name"])
    def whole(config: str = given["config"], root: str = given["root"], span: str = "latest"):
        tasks(config=config, root=root, span=span)
else:
    @dsl.pipeline(name=given["name"])
    def whole(config: str = given["config"], root: str = given["root"], epochs: str = "auto"):
        tasks(config=config, root=root, epochs=epochs)
compiler.Compiler().compile(whole, path)
print(json.dumps(list(yaml.safe_load_all(open(path)))))
"""


@pytest.fixture
def invoke(tmp_path: Path) -> Callable[..., Result]:
    """Runs a command on a job of a YAML."""
    (tmp_path / "2026-01-01.txt").write_text("text\n")
    (tmp_path / "data.csv").write_text("text,stars\nfine,1\n")

    def run(text: str, *options: str, command: str = "compile", to: tuple[str, ...] = ("--to", "kubeflow")) -> Result:
        (tmp_path / "job.yaml").write_text(text)
        return CliRunner().invoke(app, [command, str(tmp_path / "job.yaml"), *to, *options])

    return run


def parameters(pipeline: dict[str, Any]) -> dict[str, str]:
    """The parameters of a run, with their defaults."""
    found = pipeline["root"]["inputDefinitions"]["parameters"]
    kind = {"isOptional": True, "parameterType": "STRING"}
    assert all(one == {**kind, "defaultValue": one["defaultValue"]} for one in found.values())
    return {name: one["defaultValue"] for name, one in found.items()}


def documents(done: Result) -> tuple[dict[str, Any], dict[str, Any]]:
    """The pipeline, and what Kubernetes adds to it."""
    assert done.exit_code == 0, done.output
    found, platform = yaml.safe_load_all(done.stdout)
    return found, platform["platforms"]["kubernetes"]


def test_each_component_is_a_container_with_the_run_and_the_span(invoke: Callable[..., Result], tmp_path: Path) -> None:
    options = ("--root", "/shared/daily", "--set", "transform.min_count=2")
    found, _ = documents(invoke(DATES, "--image", IMAGE, *options))
    assert found["deploymentSpec"]["executors"]["exec-statistics-gen"]["container"] == {
        "image": IMAGE,
        "command": ["seqloom"],
        "args": [
            *("run", "{{$.inputs.parameters['config']}}", "--root", "{{$.inputs.parameters['root']}}"),
            *("--set", "transform.min_count=2", "--run-id", "{{$.inputs.parameters['run_id']}}"),
            *("--set", "corpus.span={{$.inputs.parameters['span']}}", "--only", "StatisticsGen"),
        ],
    }
    defaults = {"config": str(tmp_path / "job.yaml"), "root": "/shared/daily", "span": "latest"}
    assert parameters(found) == defaults


@pytest.mark.parametrize(("options", "epochs"), [((), "auto"), (("--set", "trainer.epochs=7"), "7")])
def test_a_run_may_have_other_epochs(invoke: Callable[..., Result], options: tuple[str, ...], epochs: str) -> None:
    found, _ = documents(invoke(PLAIN, "--image", IMAGE, "--root", "/shared/stars", *options))
    assert parameters(found)["epochs"] == epochs
    for executor in found["deploymentSpec"]["executors"].values():
        assert executor["container"]["args"][-4:-2] == ["--set", "trainer.epochs={{$.inputs.parameters['epochs']}}"]


@pytest.mark.parametrize(("code", "accepted"), [(0, 0), (1, 1), (2, 2), (3, 0), (75, 75)])
def test_a_model_that_does_not_pass_its_gates_is_no_failure(
    invoke: Callable[..., Result], code: int, accepted: int
) -> None:
    program = f"sh -c 'exit {code}'"
    found, _ = documents(invoke(PLAIN, "--image", IMAGE, "--root", "/shared", "--command", program))
    containers = {name: one["container"] for name, one in found["deploymentSpec"]["executors"].items()}
    assert containers["exec-pusher"]["command"] == ["sh", "-c", f"exit {code}"]
    container = containers["exec-evaluator"]
    assert subprocess.run([*container["command"], *container["args"]], check=False).returncode == accepted


def test_the_claim_of_the_root(invoke: Callable[..., Result]) -> None:
    for options, claim in (((), "seqloom-some-stars"), (("--claim", "models"), "models")):
        _, platform = documents(invoke(PLAIN, "--image", IMAGE, "--root", "/shared/stars", *options))
        mounts = [one["pvcMount"] for one in platform["deploymentSpec"]["executors"].values()]
        assert len(mounts) == 11
        assert {(mount["constant"], mount["mountPath"]) for (mount,) in mounts} == {(claim, "/shared/stars")}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "A pipeline of Kubeflow needs an image.\n"),
        (("--image", "seqloom:latest"), "The image has no digest.\n"),
        (("--image", IMAGE, "--schedule", "0 3 * * *"), "--schedule cannot be combined with --to kubeflow.\n"),
        (("--image", IMAGE, "--days-back", "0"), "--days-back cannot be combined with --to kubeflow.\n"),
        (("--image", IMAGE, "--root", "/a{{b}}"), "Kubeflow takes {{ for a placeholder.\n"),
    ],
)
def test_usage_errors(invoke: Callable[..., Result], options: tuple[str, ...], message: str) -> None:
    done = invoke(DATES, *options)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(message)


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {key: without(each, names) for key, each in value.items() if key not in names}
    return [without(each, names) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("text", [DATES, PLAIN])
def test_the_sdk_compiles_the_same(invoke: Callable[..., Result], text: str, tmp_path: Path) -> None:
    python = os.environ.get("SEQLOOM_KFP")
    if python is None:
        pytest.skip("SEQLOOM_KFP does not name the Python of an environment with kfp and kfp-kubernetes")
    found = list(yaml.safe_load_all(invoke(text, "--image", IMAGE, "--root", "/shared", "--claim", "models").stdout))
    plan = json.loads(invoke(text, "--json", command="plan", to=()).stdout)
    executors = found[0]["deploymentSpec"]["executors"]
    labels = {one["container"]["args"][-1]: name.removeprefix("exec-") for name, one in executors.items()}
    commands = {one["name"]: ["seqloom"] for one in plan}
    given = {
        "image": IMAGE,
        "command": {**commands, "Evaluator": ["sh", "-c", ACCEPT_3, "seqloom"]},
        "config": str(tmp_path / "job.yaml"),
        "spans": text is DATES,
        "plan": plan,
        "labels": labels,
        "claim": "models",
        "root": "/shared",
        "name": "seqloom-daily" if text is DATES else "seqloom-some-stars",
    }
    done = subprocess.run([python, "-c", WITH_SDK, json.dumps(given)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    expected = json.loads(done.stdout.splitlines()[-1])
    assert expected[0].pop("sdkVersion").startswith("kfp-")
    assert found[0].pop("sdkVersion") == "seqloom"
    found = without(found, {name for name in NEWER if name not in done.stdout})
    for key in found[0].keys() | expected[0].keys():
        assert found[0][key] == expected[0][key]
    assert found[1:] == expected[1:]
