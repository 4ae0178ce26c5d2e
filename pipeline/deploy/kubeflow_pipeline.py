"""A pipeline of Kubeflow Pipelines 2, in its intermediate representation: a container for each component."""

from __future__ import annotations

import io
import re
from collections.abc import Iterable
from typing import Any, NamedTuple

import ruamel.yaml

from pipeline.config.sections import ResourceSettings
from pipeline.deploy.deployment import Deployment
from pipeline.runners.planning import PlannedComponent
from trainer.errors import JobError

_ABOUT = """\
# The job {name}, one task per component, for Kubeflow Pipelines 2. Written by `seqloom compile`.
# The image has seqloom and the job's files; the claim {claim} is mounted at {root}.
"""
_SPAN = "{{$.inputs.parameters['span']}}"
_RUN_ID = "{{$.inputs.parameters['run_id']}}"
_UNSAFE = "{{"
_ACCEPT_NOT_BLESSED = '"$0" "$@" || { code=$?; [ "$code" = 3 ] || exit "$code"; }'
"""The model did not pass its gates; the components after the Evaluator end with 0 without doing anything."""
_RETRIES = {"maxRetryCount": 3, "backoffDuration": "60s", "backoffFactor": 2.0, "backoffMaxDuration": "960s"}
_IMAGE = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")


class KubernetesPlace(NamedTuple):
    """Where the containers find the code and the root.

    Attributes:
        image: A container image with its digest.
        claim: The claim of the volume that holds the root.
        root: The path of the root, where the volume is mounted.
    """

    image: str
    claim: str
    root: str


def checked_image(image: str | None) -> str:
    """Returns a container image with a digest, so that all steps of a run have the same code.

    Raises:
        JobError: If there is none.
    """
    if image is None or not _IMAGE.fullmatch(image):
        raise JobError(
            "The image has no digest." if image else "A pipeline of Kubeflow needs an image.",
            where="--image",
            found=image,
            expected="registry/name@sha256:<64 hexadecimal digits>, so that all steps of a run have the same code",
        )
    return image


def kubernetes_name(job: str) -> str:
    """Returns the name of what belongs to a job, as Kubernetes allows it."""
    return f"seqloom-{job.replace('_', '-')}".rstrip("-")


def kubeflow_pipeline(deployment: Deployment, place: KubernetesPlace) -> str:
    """Returns the YAML of a pipeline and of what Kubernetes adds to it.

    Raises:
        JobError: If Kubeflow would replace a part of an argument.
    """
    for word in (*deployment.program, *deployment.arguments):
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
    inputs = ["run_id", *(["span"] if deployment.has_span else [])]
    definitions = {"parameters": {name: {"parameterType": "STRING"} for name in inputs}}
    root: dict[str, Any] = {"dag": {"tasks": {}}}
    if deployment.has_span:
        span = {"defaultValue": "latest", "isOptional": True, "parameterType": "STRING"}
        root["inputDefinitions"] = {"parameters": {"span": span}}
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


def _task(component: PlannedComponent, labels: dict[str, str], inputs: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {"run_id": {"runtimeValue": {"constant": "{{$.pipeline_job_uuid}}"}}}
    values["span"] = {"componentInputParameter": "span"}
    task = {
        "cachingOptions": {},
        "componentRef": {"name": f"comp-{labels[component.name]}"},
        "inputs": {"parameters": {name: values[name] for name in inputs}},
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
    arguments = ["run", *deployment.arguments, "--run-id", _RUN_ID]
    arguments += ["--set", f"corpus.span={_SPAN}"] if deployment.has_span else []
    container = {"image": place.image, "command": command, "args": [*arguments, "--only", component.name]}
    resources = _resources(component.resources)
    return {**container, "resources": resources} if resources else container


def _resources(needs: ResourceSettings) -> dict[str, Any]:
    """Returns what a container requests, in the fields of older and of newer versions of Kubeflow."""
    found: dict[str, Any] = {}
    if needs.cpu is not None:
        found |= {"cpuRequest": needs.cpu, "resourceCpuRequest": f"{needs.cpu:g}"}
    if needs.memory is not None:
        mebibytes = round(needs.memory * 1024)
        found |= {"memoryRequest": mebibytes * 2**20 / 1e9, "resourceMemoryRequest": f"{mebibytes}Mi"}
    if needs.gpu:
        kind, count = "nvidia.com/gpu", str(needs.gpu)
        found["accelerator"] = {"count": count, "resourceCount": count, "resourceType": kind, "type": kind}
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
