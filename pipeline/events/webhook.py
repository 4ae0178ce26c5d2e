"""Sends events to a URL, one POST with a JSON object each."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path
from typing import Any

from pipeline.config.event_settings import WebhookSettings
from pipeline.events.delivery import CALL_SECONDS
from pipeline.events.environment import value_of
from pipeline.events.run_event import EventType, RunEvent
from pipeline.runs.record import RunRecord
from pipeline.runs.state import RunState
from trainer.errors import JobError


class Webhook:
    """Posts what the settings ask for.

    Args:
        settings: The section of the job.

    Raises:
        JobError: If a variable of the environment is not set, or has no URL.
    """

    def __init__(self, settings: WebhookSettings) -> None:
        self._on = frozenset(settings.on)
        self._url = settings.url or _url_from(settings.url_from or "")
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
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=CALL_SECONDS):
            pass


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Makes a redirect an error: another server must not get the headers."""

    def redirect_request(self, *_answer: Any) -> None:
        """Follows no redirect."""


def _url_from(variable: str) -> str:
    url = value_of(variable)
    if not url.startswith(("http://", "https://")):
        raise JobError(f"The environment variable {variable} has no URL of a web server.")
    return url


def kinds(event: RunEvent) -> set[str]:
    """Returns the values of `on` that an event belongs to."""
    found = {"all"}
    if event.event is EventType.RUN_STARTED:
        found.add("started")
    if event.event is EventType.MODEL_PUBLISHED:
        found.add("published")
    if event.event is EventType.RUN_ENDED and event.state is not None:
        found.add("finished")
        refused = event.state in (RunState.NOT_BLESSED, RunState.WITHDRAWN)
        found |= {"refused"} if refused else {"failed"} if event.state is RunState.FAILED else set()
    return found
