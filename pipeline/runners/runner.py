"""The interface between a prepared run and what runs it."""

from __future__ import annotations

from typing import Protocol

from pipeline.runs.prepare import PreparedRun
from pipeline.runs.state import ComponentState


class Observer(Protocol):
    """Observes the components of a run."""

    def started(self, component: str) -> None:
        """A component has started."""

    def ended(self, component: str, state: ComponentState) -> None:
        """A component has ended, done or cached."""


class Runner(Protocol):
    """Runs the components of a prepared run, under its id in its ML Metadata, and reports them to an observer."""

    def __call__(self, prepared: PreparedRun, observer: Observer) -> None:
        """Runs all components; an exception of a component passes through."""
