"""Turns events into those of OpenLineage, for a file or a server."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from openlineage.client import event_v2 as lineage
from openlineage.client.facet_v2 import (
    data_quality_assertions_dataset,
    error_message_run,
    input_statistics_input_dataset,
    job_type_job,
    parent_run,
)
from openlineage.client.transport.file import FileConfig, FileTransport
from openlineage.client.transport.http import HttpConfig, HttpTransport

from pipeline.config.event_settings import OpenLineageSettings
from pipeline.config.locations import resolve_corpus_path
from pipeline.events.delivery import CALL_SECONDS
from pipeline.events.environment import value_of
from pipeline.events.run_event import EventType, RunEvent
from pipeline.runs.record import RunRecord
from pipeline.runs.state import RunState
from trainer.errors import mask

if TYPE_CHECKING:
    from openlineage.client.transport import Transport

    from pipeline.config.job import Job

_PRODUCER = "urn:seqloom"
_STATES = {
    EventType.RUN_STARTED: lineage.RunState.START,
    EventType.RUN_RESUMED: lineage.RunState.RUNNING,
    EventType.COMPONENT_STARTED: lineage.RunState.START,
    EventType.COMPONENT_DONE: lineage.RunState.COMPLETE,
    EventType.COMPONENT_CACHED: lineage.RunState.COMPLETE,
    EventType.COMPONENT_FAILED: lineage.RunState.FAIL,
    EventType.COMPONENT_INTERRUPTED: lineage.RunState.ABORT,
}
_ENDS = {RunState.FAILED: lineage.RunState.FAIL, RunState.INTERRUPTED: lineage.RunState.ABORT}


class OpenLineage:
    """Sends a run and its components, as children of the run.

    Args:
        settings: The section of the job.
        job: The job.

    Raises:
        JobError: If a variable of the environment is not set.
    """

    def __init__(self, settings: OpenLineageSettings, job: Job) -> None:
        self._job, self._namespace = job, settings.namespace
        self._transport = _transport(settings, job.folder)

    def send(self, event: RunEvent, record: RunRecord) -> None:
        """Sends an event that starts or ends something.

        Raises:
            Exception: What the library raises, if the event cannot be delivered.
        """
        found = self.translate(event, record)
        if found is not None:
            self._transport.emit(found)

    def translate(self, event: RunEvent, record: RunRecord) -> lineage.RunEvent | None:
        """Returns the event of OpenLineage, None if it has none for this event."""
        ended = event.event is EventType.RUN_ENDED
        end = _ENDS.get(event.state or RunState.DONE, lineage.RunState.COMPLETE)
        state = end if ended else _STATES.get(event.event)
        if state is None:
            return None
        name = event.job if event.component is None else f"{event.job}.{event.component}"
        facets: dict[str, Any] = {}
        if event.component is not None:
            parent = parent_run.Run(_run_uuid(record))
            facets["parent"] = parent_run.ParentRunFacet(parent, parent_run.Job(self._namespace, event.job))
        if event.error:
            facets["errorMessage"] = error_message_run.ErrorMessageRunFacet(event.error, "Python")
        kind = job_type_job.JobTypeJobFacet("BATCH", "SEQLOOM", "PIPELINE" if event.component is None else "COMPONENT")
        return lineage.RunEvent(
            eventTime=event.time.isoformat(),
            eventType=state,
            run=lineage.Run(_run_uuid(record, event.component), facets),
            job=lineage.Job(self._namespace, name, {"jobType": kind}),
            producer=_PRODUCER,
            inputs=self._inputs(record) if ended else [],
            outputs=_outputs(record) if ended else [],
        )

    def _inputs(self, record: RunRecord) -> list[lineage.InputDataset]:
        """Returns the corpus, with the number of its records and the decisions of the gates."""
        facets: dict[str, Any] = {}
        if record.details.corpus is not None:
            rows = record.details.corpus.records
            facets["inputStatistics"] = input_statistics_input_dataset.InputStatisticsInputDatasetFacet(rows)
        if record.verdict.gates:
            assertions = [
                data_quality_assertions_dataset.Assertion(
                    assertion=" ".join(filter(None, [gate.metric, gate.bound])),
                    success=gate.met,
                    expected=None if gate.limit is None else str(gate.limit),
                    actual=None if gate.value is None else str(gate.value),
                    params={"slice": gate.slice},
                )
                for gate in record.verdict.gates
            ]
            facets["dataQualityAssertions"] = data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
                assertions
            )
        patterns = resolve_corpus_path(self._job.corpus.path, self._job.folder)
        return [lineage.InputDataset(*_dataset(one.pattern), inputFacets=facets) for one in patterns]


def _outputs(record: RunRecord) -> list[lineage.OutputDataset]:
    return [] if record.pushed is None else [lineage.OutputDataset(*_dataset(record.pushed.path))]


def _run_uuid(record: RunRecord, component: str | None = None) -> str:
    """Returns the id of a run or component for OpenLineage, the same in all processes of the run."""
    root = Path(record.root).absolute()
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{root.as_uri()}#{record.run_id}/{component or ''}"))


def _dataset(location: str) -> tuple[str, str]:
    """Returns the namespace and the name of files."""
    if "://" not in location:
        return "file", location
    parts = urlsplit(mask(location))
    return f"{parts.scheme}://{parts.netloc}", parts.path.lstrip("/") or "/"


def _transport(settings: OpenLineageSettings, folder: Path) -> Transport:
    if settings.url is None:
        return FileTransport(FileConfig(str(folder / (settings.file or "")), append=True))
    values: dict[str, Any] = {"url": settings.url, "timeout": CALL_SECONDS, "retry": {"total": 0}}
    if settings.api_key_from is not None:
        values["auth"] = {"type": "api_key", "api_key": value_of(settings.api_key_from)}
    return HttpTransport(HttpConfig.from_dict(values))
