"""Sends events to a URL, one POST with a JSON object each."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

from pipeline.config.event_settings import WebhookSettings
from pipeline.events.delivery import CALL_SECONDS
from pipeline.events.environment import value_of
from pipeline.events.run_event import EventType, RunEvent
from pipeline.runs.record import RunRecord
from pipeline.runs.state import RunState


class Webhook:
    """Posts what the settings ask for.

    Args:
        settings: The section of the job.

    Raises:
        JobError: If a variable of the environment is not set.
    """

    def __init__(self, settings: WebhookSettings) -> None:
        self._on = frozenset(settings.on)
        self._url = settings.url or value_of(settings.url_from or "")
        self._headers = {name: value_of(variable) for name, variable in settings.headers_from.items()}

    def send(self, event: RunEvent, record: RunRecord) -> None:
        """Posts an event if it is wanted.

        Raises:
            OSError: If the server cannot be reached, does not answer or answers with an error.
        """
        if not self._on & kinds(event):
            return
        body = {**json.loads(event.line), "text": event.sentence, "root": str(Path(record.root).absolute())}
        headers = {"Content-Type": "application/json", "User-Agent": "seqloom", **self._headers}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers, method="POST")  # noqa: S310
        with urllib.request.urlopen(request, timeout=CALL_SECONDS):  # noqa: S310 - the settings admit only HTTP
            pass


def kinds(event: RunEvent) -> set[str]:
    """Returns the values of `on` that an event belongs to."""
    found = {"all"}
    if event.event is EventType.RUN_STARTED:
        found.add("started")
    if event.event is EventType.MODEL_PUBLISHED:
        found.add("published")
    if event.event is EventType.RUN_ENDED:
        found.add("finished")
        found |= {"refused"} & ({"refused"} if event.state is RunState.NOT_BLESSED else set())
        found |= {"failed"} if event.state is RunState.FAILED else set()
    return found
