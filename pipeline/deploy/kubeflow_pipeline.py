"""A pipeline of Kubeflow Pipelines 2, in its intermediate representation: a container for each component."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any

import ruamel.yaml

from pipeline.config.sections import ResourceSettings
from pipeline.deploy.deployment import Deployment
from pipeline.deploy.pods import GPU, KubernetesPlace, kubernetes_name, mebibytes, requests
from pipeline.runners.planning import PlannedComponent
from trainer.errors import JobError

_ABOUT = """\
# The job {name}, one task per component, for Kubeflow Pipelines 2. Written by `seqloom compile`.
# The image has seqloom and the job's files; the claim {claim} is mounted at {root}.
"""
_RUN_ID = {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}
"""Kubeflow's id of the run."""
_UNSAFE = "{{"
_ACCEPT_NOT_BLESSED = '"$0" "$@" || { code=$?; [ "$code" = 3 ] || exit "$code"; }'
"""The model did not pass its gates; the components after the Evaluator end with 0 without doing anything."""
_RETRIES = {"maxRetryCount": 3, "backoffDuration": "60s", "backoffFactor": 2.0, "backoffMaxDuration": "960s"}


def kubeflow_pipeline(deployment: Deployment, place: KubernetesPlace) -> str:
    """Returns the YAML of a pipeline and of what Kubernetes adds to it.

    Raises:
        JobError: If Kubeflow would replace a part of an argument.
    """
    for word in (*deployment.program, deployment.config, deployment.root, *deployment.overrides):
        if _UNSAFE in word:
            raise JobError("Kubeflow takes {{ for a placeholder.", found=word, fix="choose another path or value")
    labels = {component.name: _label(component.name) for component in deployment.components}
    text = io.StringIO(_ABOUT.format(name=deployment.name, claim=place.claim, root=place.root))
    text.seek(0, io.SEEK_END)
    dumper = ruamel.yaml.YAML(typ="safe", pure=True)
    dumper.default_flow_style, dumper.width = False, 100
    dumper.representer.ignore_aliases = lambda _: True
    dumper.dump_all([_pipeline(deployment, place, labels), _platform(place, labels.values())], text)
    return text.getvalue()


def _label(component: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", component).lower()


def _pipeline(deployment: Deployment, place: KubernetesPlace, labels: dict[str, str]) -> dict[str, Any]:
    defaults = _parameters(deployment)
    inputs = ["run_id", *defaults]
    definitions = {"parameters": {name: {"parameterType": "STRING"} for name in inputs}}
    optional = {"isOptional": True, "parameterType": "STRING"}
    parameters = {name: {"defaultValue": value, **optional} for name, value in defaults.items()}
    root: dict[str, Any] = {"dag": {"tasks": {}}, "inputDefinitions": {"parameters": parameters}}
    components, executors = {}, {}
    for component in deployment.components:
        label = labels[component.name]
        components[f"comp-{label}"] = {"executorLabel": f"exec-{label}", "inputDefinitions": definitions}
        executors[f"exec-{label}"] = {"container": _container(component, deployment, place)}
        root["dag"]["tasks"][label] = _task(component, labels, inputs)
    return {
        "components": components,
        "deploymentSpec": {"executors": executors},
        "pipelineInfo": {"name": kubernetes_name(deployment.name)},
        "root": root,
        "schemaVersion": "2.1.0",
        "sdkVersion": "seqloom",
    }


def _parameters(deployment: Deployment) -> dict[str, str]:
    """Returns the parameters of a run, with their defaults."""
    found = {"config": deployment.config, "root": deployment.root}
    if deployment.has_span:
        found["span"] = "latest"
    if deployment.epochs is not None:
        found["epochs"] = deployment.epochs
    return found


def _input(name: str) -> str:
    return f"{{{{$.inputs.parameters['{name}']}}}}"


def _task(component: PlannedComponent, labels: dict[str, str], inputs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {name: {"componentInputParameter": name} for name in inputs}
    values["run_id"] = _RUN_ID
    task = {
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{labels[component.name]}"},
        "inputs": {"parameters": values},
        "retryPolicy": dict(_RETRIES),
        "taskInfo": {"name": component.name},
    }
    if component.upstream:
        task["dependentTasks"] = sorted(labels[name] for name in component.upstream)
    return task


def _container(component: PlannedComponent, deployment: Deployment, place: KubernetesPlace) -> dict[str, Any]:
    command = list(deployment.program)
    if component.name == "Evaluator":
        command = ["sh", "-c", _ACCEPT_NOT_BLESSED, *command]
    arguments = ["run", _input("config"), "--root", _input("root"), *deployment.overrides, "--run-id", _input("run_id")]
    arguments += ["--set", f"corpus.span={_input('span')}"] if deployment.has_span else []
    arguments += ["--set", f"trainer.epochs={_input('epochs')}"] if deployment.epochs is not None else []
    container = {"image": place.image, "command": command, "args": [*arguments, "--only", component.name]}
    resources = _resources(component.resources)
    return {**container, "resources": resources} if resources else container


def _resources(needs: ResourceSettings) -> dict[str, Any]:
    """Returns what a container requests, in the fields of older and of newer versions of Kubeflow."""
    found: dict[str, Any] = {f"resource{name.title()}Request": value for name, value in requests(needs).items()}
    if needs.cpu is not None:
        found["cpuRequest"] = needs.cpu
    if needs.memory is not None:
        found["memoryRequest"] = mebibytes(needs.memory) * 2**20 / 1e9
    if needs.gpu:
        count = str(needs.gpu)
        found["accelerator"] = {"count": count, "resourceCount": count, "resourceType": GPU, "type": GPU}
    return found


def _platform(place: KubernetesPlace, labels: Iterable[str]) -> dict[str, Any]:
    mounts = {
        f"exec-{label}": {
            "pvcMount": [
                {
                    "constant": place.claim,
                    "mountPath": place.root,
                    "pvcNameParameter": {"runtimeValue": {"constant": place.claim}},
                }
            ]
        }
        for label in labels
    }
    return {"platforms": {"kubernetes": {"deploymentSpec": {"executors": mounts}}}}
