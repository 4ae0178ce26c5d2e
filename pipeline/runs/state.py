"""The states of a run and of its components, with all attributes that depend only on the state."""

from __future__ import annotations

import enum
from typing import TypeVar

S = TypeVar("S", bound="StyledState")

RETRY = 75
"""The exit code of a command that may succeed if it is repeated: EX_TEMPFAIL of sysexits.h."""


class RunState(str, enum.Enum):
    """The state of a run.

    Attributes:
        exit_code: The exit code of the command that ran it.
        style: Its style on a terminal.
        sentence: Its description; `{version}` stands for the published version.
    """

    exit_code: int
    style: str
    sentence: str

    def __new__(cls, value: str, exit_code: int, style: str, sentence: str) -> RunState:
        """Creates a member; its value is the string in a record."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.exit_code, state.style, state.sentence = exit_code, style, sentence
        return state

    RUNNING = "running", 1, "cyan", "Still running."
    WAITING = "waiting", 0, "cyan", "Waiting for its next step."
    PUSHED = "pushed", 0, "bold green", "Published as version {version}."
    UNCHANGED = "unchanged", 0, "green", "Nothing new to publish: this model is already published."
    NOT_BLESSED = "not_blessed", 3, "bold yellow", "Not published: the model did not pass its gates."
    WITHDRAWN = "withdrawn", 3, "bold yellow", "Not published: this model was rolled back."
    FAILED = "failed", 1, "bold red", "Failed."
    INTERRUPTED = "interrupted", 130, "yellow", "Interrupted; run the same command again to resume."
    DONE = "done", 0, "green", "Stopped early, as --until requested."
    TRANSFORMED = "transformed", 0, "bold green", "Done: the examples are checked and transformed."
    TUNED = "tuned", 0, "bold green", "Tuned."
    CHECKED = "checked", 0, "bold green", "Checked: the job can run. Nothing was trained or published."

    def __str__(self) -> str:
        return str.__str__(self)


class StyledState(str, enum.Enum):
    """A state that is a string, with its style on a terminal."""

    style: str

    def __new__(cls: type[S], value: str, style: str) -> S:
        """Creates a member; its value is the string in a file."""
        state = str.__new__(cls, value)
        state._value_ = value
        state.style = style
        return state

    def __str__(self) -> str:
        return str.__str__(self)


class ComponentState(StyledState):
    """The state of a component of a run."""

    WAITING = "waiting", "dim"
    RUNNING = "running", "cyan"
    CACHED = "cached", "blue"
    DONE = "done", "green"
    FAILED = "failed", "bold red"
    INTERRUPTED = "interrupted", "yellow"
    SKIPPED = "skipped", "dim"

    @property
    def complete(self) -> bool:
        """Whether nothing is left to do."""
        return self in (ComponentState.DONE, ComponentState.CACHED, ComponentState.SKIPPED)
