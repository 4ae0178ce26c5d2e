"""A DAG file for Airflow 2.11 and 3, which imports only Airflow."""

from __future__ import annotations

import datetime
import re
import string
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.deploy.airflow_steps import PODS, PROCESSES, pod_constants
from pipeline.deploy.deployment import Deployment
from pipeline.deploy.pods import KubernetesPlace
from pipeline.operate.cron_times import CronTimes
from pipeline.operate.emission.crontab import five_fields
from pipeline.runners.planning import PlannedComponent
from pipeline.runs.record import RUN_ID
from pipeline.runs.state import RETRY, RunState


class AirflowTimes(NamedTuple):
    """When Airflow runs a job.

    Attributes:
        times: The schedule; None: only when somebody asks.
        timezone: The time zone of the schedule and of the dates of spans.
        days_back: The span is that of so many days before the time of the run.
    """

    times: CronTimes | None
    timezone: str
    days_back: int


_TEMPLATE = re.compile(r"\{(?=[{%#])")
"""What Jinja would take for the start of a template."""

_TIMETABLE = "from airflow.timetables.trigger import CronTriggerTimetable\n"

_DAG = string.Template('''\
"""The job $name, one task per component, for Airflow 2.11 and 3. Written by `seqloom compile`."""

from __future__ import annotations

import datetime
import hashlib
import re
${span_import}
$timetable_import$step_imports
try:  # Airflow 3.2 and newer
    from airflow.sdk.exceptions import $exceptions
except ImportError:
    from airflow.exceptions import $exceptions

COMMAND = [
$command
]
UPSTREAM = {
$edges
}
${constants}NOT_BLESSED = $not_blessed  # The model did not pass its gates; later steps do nothing and end with 0.
RETRY = ($retry, 137, 143, -9, -15)  # Something passes, or the step was killed.


def end(code):
    """Ends a task as the exit code of its step says."""
    if code in RETRY:
        raise RuntimeError(f"The step ended with {code} because of something that passes.")
    if code not in (0, NOT_BLESSED):
        raise AirflowFailException(f"The step failed with exit code {code}; a retry would fail again.")


$step_operator

def step_run_id(run_id):
    """Returns the id of Airflow's run, or a hash of it if seqloom does not take such ids."""
    if re.fullmatch("$run_ids", run_id):
        return run_id
    return "airflow-" + hashlib.sha256(run_id.encode()).hexdigest()
$span
with DAG(
    dag_id="seqloom-$name",
    start_date=datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc),
    schedule=$schedule,
    catchup=False,
    max_active_runs=1,
    default_args={
        "retries": 5,
        "retry_delay": datetime.timedelta(minutes=1),
        "retry_exponential_backoff": True,
        "max_retry_delay": datetime.timedelta(minutes=16),
    },
    user_defined_filters={$filters},
    tags=["seqloom"],
) as dag:
    tasks = {name: StepOperator(task_id=name, command=[*COMMAND, "--only", name]) for name in UPSTREAM}
    for name, before in UPSTREAM.items():
        tasks[name].set_upstream([tasks[each] for each in before])
''')

_SPAN = string.Template('''

def span_of(time):
    """Returns the span of the time of a run: the days from 1970-01-01 to its date minus $back, in the time zone."""
    day = time.astimezone(zoneinfo.ZoneInfo($zone)).date()
    return day.toordinal() - datetime.date(1970, 1, 1).toordinal() - $back

''')


def airflow_dag(
    deployment: Deployment, when: AirflowTimes, place: KubernetesPlace | None, now: datetime.datetime
) -> str:
    """Returns the text of a DAG file.

    Args:
        deployment: The job.
        when: When it runs.
        place: Where its steps run as pods; None: they are processes on Airflow's workers.
        now: The time now.

    Raises:
        JobError: If Airflow would run the schedule at other times than seqloom.
    """
    spans = deployment.has_span
    steps = PROCESSES if place is None else PODS
    return _DAG.substitute(
        step_imports=steps.imports,
        exceptions=steps.exceptions,
        step_operator=steps.operator,
        constants="" if place is None else pod_constants(deployment.components, place),
        name=deployment.name,
        not_blessed=RunState.NOT_BLESSED.exit_code,
        retry=RETRY,
        run_ids=RUN_ID,
        span_import="import zoneinfo\n" if spans else "",
        timetable_import="" if when.times is None else _TIMETABLE,
        command=_command(deployment),
        edges=_edges(deployment.components),
        span=_SPAN.substitute(zone=ascii(when.timezone), back=when.days_back) if spans else "\n",
        schedule=_schedule(when.times, now),
        filters='"seqloom_run_id": step_run_id' + (', "seqloom_span": span_of' if spans else ""),
    )


def _command(deployment: Deployment) -> str:
    """Returns the elements of each step's command, which are templates of Jinja, one a line."""
    words = (*deployment.program, "run", deployment.config, "--root", deployment.root, *deployment.overrides)
    given = [_TEMPLATE.sub("{{ '{' }}", word) for word in words]
    given += ["--run-id", "{{ run_id | seqloom_run_id }}"]
    if deployment.has_span:
        given += ["--set", "corpus.span={{ (dag_run.logical_date or dag_run.run_after) | seqloom_span }}"]
    return "\n".join(f"    {word!a}," for word in given)


def _edges(components: Sequence[PlannedComponent]) -> str:
    return "\n".join(
        f"    {component.name!a}: [{', '.join(map(ascii, component.upstream))}]," for component in components
    )


def _schedule(times: CronTimes | None, now: datetime.datetime) -> str:
    if times is None:
        return "None"
    # A plain cron expression has other logical dates in Airflow 2 than in Airflow 3.
    fields = five_fields(times, now, "Airflow")
    return f"CronTriggerTimetable({fields!a}, timezone={times.timezone!a})"
