"""The sinks that a job names, what they need, and the recorder of a run that serves them."""

from __future__ import annotations

import contextlib
import importlib.util
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config.event_settings import EventSettings
from pipeline.events.delivery import Delivery, MakeSink, Sink
from pipeline.events.environment import unset
from pipeline.events.recorder import Recorder
from pipeline.runs.interrupts import Interrupts
from pipeline.runs.redirect import redirect_output
from pipeline.store.passwords import secrets_of
from trainer.errors import JobError

if TYPE_CHECKING:
    from pipeline.config.job import Job

EXTRA = "events"
"""The extra with the packages of the sinks."""

PACKAGES: Mapping[str, str] = {"openlineage": "openlineage", "prometheus": "prometheus_client"}
"""The package behind each section that needs one."""

_logger = logging.getLogger("seqloom.events")


@contextlib.contextmanager
def recording(
    job: Job, root: Path, log: Path, interrupts: Interrupts, show: Callable[[str], None], *, deliver: bool = True
) -> Iterator[Recorder]:
    """Yields the recorder of a run; at the end, what sinks have lost becomes a warning in the log and for the user.

    Args:
        job: The job.
        root: The root.
        log: The log of the process.
        interrupts: The signals that the process gets; the first one does not end the last deliveries.
        show: Shows a line to the user.
        deliver: Whether sinks get the events.
    """
    delivery = Delivery(_sinks(job) if deliver else {})
    try:
        yield Recorder(root, delivery.put)
    finally:
        with interrupts.deferred():
            warnings = delivery.close()
            if warnings:
                with contextlib.suppress(OSError), redirect_output(log, tuple(secrets_of(job))):
                    for text in warnings:
                        _logger.warning(text)
            for text in warnings:
                show(f"Warning: {text}")


def _sinks(job: Job) -> dict[str, MakeSink]:
    events = job.events
    found: dict[str, MakeSink] = {}
    if (webhook := events.webhook) is not None:

        def make_webhook() -> Sink:
            from pipeline.events.webhook import Webhook

            return Webhook(webhook)

        found["events.webhook"] = make_webhook
    if (lineage := events.openlineage) is not None:

        def make_lineage() -> Sink:
            require_package("openlineage")
            from pipeline.events.open_lineage import OpenLineage

            return OpenLineage(lineage, job)

        found["events.openlineage"] = make_lineage
    if (prometheus := events.prometheus) is not None:

        def make_prometheus() -> Sink:
            require_package("prometheus")
            from pipeline.events.prometheus_file import PrometheusFile

            return PrometheusFile(job.folder / prometheus.file)

        found["events.prometheus"] = make_prometheus
    return found


def require_package(section: str) -> None:
    """Checks that the package behind a section is installed.

    Raises:
        JobError: If it is not.
    """
    package = PACKAGES[section]
    if importlib.util.find_spec(package) is None:
        raise JobError(
            f"events.{section} needs the package {package}, which is not installed.",
            fix=f'pip install "seqloom[{EXTRA}]", or remove events.{section}',
        )


def variables(events: EventSettings) -> Iterator[tuple[str, str]]:
    """Yields the keys that name variables of the environment, each with the variable."""
    if events.webhook is not None:
        if events.webhook.url_from is not None:
            yield "events.webhook.url_from", events.webhook.url_from
        for header, variable in events.webhook.headers_from.items():
            yield f"events.webhook.headers_from.{header}", variable
    if events.openlineage is not None and events.openlineage.api_key_from is not None:
        yield "events.openlineage.api_key_from", events.openlineage.api_key_from


def check(events: EventSettings, environment: Mapping[str, str]) -> None:
    """Checks that what the sinks need is there; a run only warns of it.

    Raises:
        JobError: If a package or a variable of the environment is missing.
    """
    for section in PACKAGES:
        if getattr(events, section) is not None:
            require_package(section)
    for key, variable in variables(events):
        if not environment.get(variable, "").strip():
            raise unset(variable, key)
