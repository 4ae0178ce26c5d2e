"""Writes what is known of the last run to a file for Prometheus' node exporter."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from prometheus_client.parser import text_string_to_metric_families

from pipeline.events.run_event import EventType, RunEvent
from pipeline.runs.record import RunRecord

_HELP = {
    "seqloom_last_run_timestamp_seconds": "When the last run ended.",
    "seqloom_last_run_exit_code": "Exit code of the last run: 0 success, 3 the model did not pass its gates.",
    "seqloom_last_run_seconds": "Duration of the last run.",
    "seqloom_component_seconds": "Duration of each component in the last run.",
    "seqloom_last_success_timestamp_seconds": "When the last run with exit code 0 ended.",
    "seqloom_records": "Records that the last run with results has read.",
    "seqloom_quarantined_records": "Bad records among them.",
    "seqloom_gate_value": "Metric behind each gate in the last evaluation.",
    "seqloom_gate_limit": "Bound of each gate in the last evaluation.",
    "seqloom_gate_met": "1 if the model meets the bound.",
    "seqloom_published_version": "The version that was published last.",
}
_OF_ONE_RUN = ("seqloom_last_run_", "seqloom_component_")
"""What is not kept from earlier runs."""


class GaugeSample(NamedTuple):
    """A value with its name and labels."""

    name: str
    labels: dict[str, str]
    value: float


class PrometheusFile:
    """Rewrites the file, by a rename, when a run ends; what a failed run does not have stays as it was.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def send(self, event: RunEvent, record: RunRecord) -> None:
        """Takes the end of a run.

        Raises:
            OSError: If the file cannot be written.
        """
        if event.event is not EventType.RUN_ENDED:
            return
        found = list(samples(event, record))
        names = {sample.name for sample in found}
        kept = [one for one in self._read() if one.name not in names and not one.name.startswith(_OF_ONE_RUN)]
        registry = CollectorRegistry()
        gauges: dict[str, Gauge] = {}
        for name, labels, value in (*kept, *found):
            if name not in gauges:
                gauges[name] = Gauge(name, _HELP[name], sorted(labels), registry=registry)
            gauges[name].labels(**labels).set(value)
        write_to_textfile(str(self._path), registry)

    def _read(self) -> list[GaugeSample]:
        if not self._path.exists():
            return []
        text = self._path.read_text(encoding="utf-8")
        try:
            families = list(text_string_to_metric_families(text))
        except ValueError:  # Something else has written to it.
            return []
        found = [GaugeSample(one.name, one.labels, one.value) for family in families for one in family.samples]
        return [sample for sample in found if sample.name in _HELP]


def samples(event: RunEvent, record: RunRecord) -> Iterator[GaugeSample]:
    """Yields what is known at the end of a run."""
    job, ended = {"pipeline": record.name}, event.time.timestamp()
    yield GaugeSample("seqloom_last_run_timestamp_seconds", job, ended)
    yield GaugeSample("seqloom_last_run_exit_code", job, event.exit_code or 0)
    if event.seconds is not None:
        yield GaugeSample("seqloom_last_run_seconds", job, event.seconds)
    for row in record.components:
        if row.seconds is not None:
            yield GaugeSample("seqloom_component_seconds", {**job, "component": row.name}, row.seconds)
    if event.exit_code == 0:
        yield GaugeSample("seqloom_last_success_timestamp_seconds", job, ended)
    if event.records is not None and event.quarantined is not None:
        yield GaugeSample("seqloom_records", job, event.records)
        yield GaugeSample("seqloom_quarantined_records", job, event.quarantined)
    for gate in record.verdict.gates:
        labels = {**job, "metric": gate.metric, "slice": gate.slice}
        if gate.value is not None:
            yield GaugeSample("seqloom_gate_value", labels, gate.value)
        if gate.bound is not None and gate.limit is not None:
            yield GaugeSample("seqloom_gate_limit", {**labels, "bound": gate.bound}, gate.limit)
        yield GaugeSample("seqloom_gate_met", {**labels, "bound": gate.bound or ""}, float(gate.met))
    if event.version is not None:
        yield GaugeSample("seqloom_published_version", job, float(event.version))
