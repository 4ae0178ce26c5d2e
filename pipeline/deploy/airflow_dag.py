"""A DAG file for Airflow 2.11 and 3, which imports only Airflow."""

from __future__ import annotations

import datetime
import re
import shlex
import string
from collections.abc import Sequence
from typing import NamedTuple

from pipeline.deploy.deployment import Deployment
from pipeline.operate.cron_times import CronTimes
from pipeline.operate.emission.crontab import five_fields
from pipeline.runners.planning import PlannedComponent


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


_TIMETABLE = "from airflow.timetables.trigger import CronTriggerTimetable\n"

_HEAD = string.Template('''\
"""The job $name, one task per component, for Airflow 2.11 and 3. Written by `seqloom compile`."""

from __future__ import annotations

import datetime
import hashlib
import re
${span_import}
$timetable_import
try:  # Airflow 3
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow.models.dag import DAG
    from airflow.operators.bash import BashOperator
try:  # Airflow 3.2 and newer
    from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException
except ImportError:
    from airflow.exceptions import AirflowFailException, AirflowSkipException

COMMAND = $command
# 3: the model did not pass its gates; the components after it end with 0 without doing anything.
ACCEPT_3 = ' || { code=$$?; [ "$$code" = 3 ] || exit "$$code"; }'
RETRY = 75

UPSTREAM = {
$edges
}
''')

_BODY = string.Template('''

class StepOperator(BashOperator):
    """Runs a component; only its exit code 75 leads to a retry."""

    def execute(self, context):
        try:
            return super().execute(context)
        except AirflowSkipException as error:
            raise AirflowFailException("The step failed, and a retry would fail again: see its output.") from error


def step_run_id(run_id):
    """Returns the id of Airflow's run, or a hash of it if seqloom does not take such ids."""
    if re.fullmatch("[A-Za-z0-9][A-Za-z0-9._:+~@=-]{0,127}", run_id):
        return run_id
    return "airflow-" + hashlib.sha256(run_id.encode()).hexdigest()
$span
with DAG(
    dag_id=$dag_id,
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
    tasks = {
        name: StepOperator(
            task_id=name,
            bash_command=COMMAND + " --only " + name + ACCEPT_3,
            skip_on_exit_code=[code for code in range(1, 256) if code != RETRY],
            do_xcom_push=False,
        )
        for name in UPSTREAM
    }
    for name, before in UPSTREAM.items():
        tasks[name].set_upstream([tasks[each] for each in before])
''')

_SPAN = string.Template('''

def span_of(time):
    """Returns the span of the time of a run: the days from 1970-01-01 to its date minus $back, in the time zone."""
    day = time.astimezone(zoneinfo.ZoneInfo($zone)).date()
    return day.toordinal() - datetime.date(1970, 1, 1).toordinal() - $back

''')


def airflow_dag(deployment: Deployment, when: AirflowTimes, now: datetime.datetime) -> str:
    """Returns the text of a DAG file.

    Args:
        deployment: The job.
        when: When it runs.
        now: The time now.

    Raises:
        JobError: If Airflow would run the schedule at other times than seqloom.
    """
    scheduled = when.times is not None
    head = _HEAD.substitute(
        name=deployment.name,
        span_import="import zoneinfo\n" if deployment.has_span else "",
        timetable_import=_TIMETABLE if scheduled else "",
        command=ascii(_command(deployment)),
        edges=_edges(deployment.components),
    )
    filters = '"seqloom_run_id": step_run_id'
    body = _BODY.substitute(
        span=_span(when) if deployment.has_span else "\n",
        dag_id=ascii(f"seqloom-{deployment.name}"),
        schedule=_schedule(when.times, now),
        filters=filters + (', "seqloom_span": span_of' if deployment.has_span else ""),
    )
    return head + body


def _command(deployment: Deployment) -> str:
    """Returns the start of each step's command for bash, a template of Jinja."""
    start = shlex.join([*deployment.program, "run", *deployment.arguments])
    command = re.sub(r"\{(?=[{%#])", "{{ '{' }}", start) + " --run-id {{ run_id | seqloom_run_id }}"
    if deployment.has_span:
        command += " --set corpus.span={{ (dag_run.logical_date or dag_run.run_after) | seqloom_span }}"
    return command


def _edges(components: Sequence[PlannedComponent]) -> str:
    return "\n".join(
        f'    "{component.name}": [{", ".join(f"{chr(34)}{name}{chr(34)}" for name in component.upstream)}],'
        for component in components
    )


def _schedule(times: CronTimes | None, now: datetime.datetime) -> str:
    if times is None:
        return "None"
    # A plain cron expression has another logical date in Airflow 2 than in Airflow 3.
    fields = five_fields(times, now, "Airflow")
    return f"CronTriggerTimetable({ascii(fields)}, timezone={ascii(times.timezone)})"


def _span(when: AirflowTimes) -> str:
    return _SPAN.substitute(zone=ascii(when.timezone), back=when.days_back)
