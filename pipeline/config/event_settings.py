"""The section of a job's YAML that says who learns of the events of its runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import Settings

_URL = r"^https?://[^/\s]\S*$"
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
"""The name of a variable of the environment."""

Occasion = Literal["started", "failed", "refused", "published", "finished", "all"]


class WebhookSettings(Settings):
    """A URL that gets events, one POST with a JSON object each."""

    url: str | None = Field(None, pattern=_URL, description="The URL.")
    url_from: Variable | None = Field(
        None, description="The environment variable with the URL, for URLs that are secrets themselves."
    )
    headers_from: dict[str, Variable] = Field(
        default_factory=dict,
        description="Headers, each with the environment variable that has its value: {Authorization: HOOK_TOKEN}.",
    )
    on: list[Occasion] = Field(
        default=["failed", "refused", "published"],
        min_length=1,
        description="What is sent: runs that start, fail, are refused by a gate, or finish in any way; published "
        "models; or all events.",
    )

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if (self.url is None) == (self.url_from is None):
            found = "both" if self.url else "neither"
            yield Problem((), "A webhook needs one URL.", f"{found} of url and url_from", "url or url_from")


class OpenLineageSettings(Settings):
    """A file or server that gets the runs as OpenLineage events; needs the extra `events`."""

    file: str | None = Field(None, min_length=1, description="The file that a line of JSON is appended to per event.")
    url: str | None = Field(None, pattern=_URL, description="The server, e.g. http://marquez:5000.")
    api_key_from: Variable | None = Field(None, description="The environment variable with the server's API key.")
    namespace: str = Field("seqloom", min_length=1, description="The namespace of the jobs.")

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        if (self.file is None) == (self.url is None):
            found = "both" if self.url else "neither"
            yield Problem((), "OpenLineage needs one receiver.", f"{found} of file and url", "file or url")
        if self.api_key_from is not None and self.url is None:
            yield Problem(("api_key_from",), "An API key needs a server.", "no url", fix="add url, or remove it")


class PrometheusSettings(Settings):
    """A file of metrics for the textfile collector of Prometheus' node exporter; needs the extra `events`."""

    file: str = Field(
        pattern=r"\.prom$", description="The file, one per job, in the collector's folder; its suffix is .prom."
    )


class EventSettings(Settings):
    """Who learns of the events of a run, besides `events.jsonl`."""

    webhook: WebhookSettings | None = Field(None, description="A URL that gets events.")
    openlineage: OpenLineageSettings | None = Field(None, description="A file or server for OpenLineage events.")
    prometheus: PrometheusSettings | None = Field(None, description="A file of metrics for Prometheus.")
