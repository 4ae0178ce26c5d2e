"""The part of a DAG file that differs between steps as processes on Airflow's workers and steps as pods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from pipeline.config.sections import ResourceSettings
from pipeline.deploy.pods import GPU, KubernetesPlace, requests
from pipeline.runners.planning import PlannedComponent


class StepCode(NamedTuple):
    """The code of a kind of steps.

    Attributes:
        imports: Lines that import what the operator uses.
        exceptions: The names of Airflow's exceptions that it uses.
        operator: The class `StepOperator`.
    """

    imports: str
    exceptions: str
    operator: str


PROCESSES = StepCode(
    """
try:  # Airflow 3
    from airflow.providers.standard.hooks.subprocess import SubprocessHook
    from airflow.sdk import DAG, BaseOperator
except ImportError:  # Airflow 2
    from airflow.hooks.subprocess import SubprocessHook
    from airflow.models.baseoperator import BaseOperator
    from airflow.models.dag import DAG""",
    "AirflowFailException",
    '''\
class StepOperator(BaseOperator):
    """Runs a component as a process of the worker."""

    template_fields = ("command",)

    def __init__(self, *, command, **kwargs):
        super().__init__(**kwargs)
        self.command = command
        self.process = None

    def execute(self, context):
        self.process = SubprocessHook()
        end(self.process.run_command(self.command).exit_code)

    def on_kill(self):
        if self.process is not None:
            self.process.send_sigterm()
''',
)

PODS = StepCode(
    """\
from airflow.providers.cncf.kubernetes.operators.pod import KubernetesPodOperator
from kubernetes.client import models as k8s

try:  # Airflow 3
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow.models.dag import DAG""",
    "AirflowException, AirflowFailException",
    '''\
class StepOperator(KubernetesPodOperator):
    """Runs a component in a pod of its own."""

    def __init__(self, *, command, **kwargs):
        claim = k8s.V1PersistentVolumeClaimVolumeSource(claim_name=CLAIM)
        super().__init__(
            image=IMAGE,
            cmds=command[:1],
            arguments=command[1:],
            container_resources=k8s.V1ResourceRequirements(**RESOURCES.get(kwargs["task_id"], {})),
            volumes=[k8s.V1Volume(name="root", persistent_volume_claim=claim)],
            volume_mounts=[k8s.V1VolumeMount(name="root", mount_path=ROOT)],
            startup_timeout_seconds=900,
            termination_grace_period=300,
            deferrable=False,
            **kwargs,
        )

    def execute(self, context):
        try:
            super().execute(context)
        except AirflowException:
            code = self.exit_code()
            if code is None:  # The pod did not start, or was evicted.
                raise
            end(code)

    def exit_code(self):
        statuses = (self.remote_pod and self.remote_pod.status.container_statuses) or []
        ended = [each.state.terminated for each in statuses if each.name == self.base_container_name]
        return ended[0].exit_code if ended and ended[0] else None
''',
)


def pod_constants(components: Sequence[PlannedComponent], place: KubernetesPlace) -> str:
    """Returns the lines of a DAG file that say what its pods are made of."""
    needs = {component.name: _requirements(component.resources) for component in components}
    lines = [f"    {name!a}: {needed}," for name, needed in needs.items() if needed]
    resources = "\n".join(["RESOURCES = {", *lines, "}"])
    return f"{resources}\nIMAGE = {place.image!a}\nCLAIM = {place.claim!a}\nROOT = {place.root!a}\n"


def _requirements(needs: ResourceSettings) -> dict[str, Any]:
    asked, limits = requests(needs), {GPU: str(needs.gpu)} if needs.gpu else {}
    return {name: value for name, value in (("requests", asked), ("limits", limits)) if value}
