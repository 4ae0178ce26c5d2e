"""What an execution of a component depends on, from the properties that TFX stores of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple

_SECTIONS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "CorpusExampleGen": {"settings": "corpus"},
        "ExampleValidator": {"settings": "validation"},
        "SchemaGen": {"schema_file": "schema"},
        "SequenceTransform": {"settings": "transform", "labels": "corpus.labels", "kind": "corpus.kind"},
        "EvaluationSets": {"settings": "evaluation"},
        "LinearBaseline": {"classes": "corpus.labels", "kind": "corpus.kind"},
        "LearningCheck": {"settings": "trainer"},
        "Trainer": {"custom_config.settings": "trainer"},
        "Tuner": {"custom_config.settings": "trainer", "custom_config.tune": "tune"},
        "Pusher": {"keep": "serving.keep"},
    }
)
"""The keys of the job behind the parameters of each component."""

_FINGERPRINTS: Mapping[str, str] = MappingProxyType(
    {"input_fingerprint": "corpus.path", "serving_fingerprint": "validation.serving_logs"}
)
"""The parameters with the fingerprint of files, and the keys of the job that name these."""

_RESOLVED = {"input_config"}
"""Parameters that the fingerprint replaces."""

_METRIC = r"eval_config\.metrics_specs\.0\.metrics\.(\w+)\.per_slice_thresholds\.0\.threshold\."
_GATES = (
    (re.compile(_METRIC + r"value_threshold\.lower_bound"), r"gates.\1.min"),
    (re.compile(_METRIC + r"value_threshold\.upper_bound"), r"gates.\1.max"),
    (re.compile(_METRIC + r"change_threshold\.absolute"), r"gates.\1.max_drop or max_rise"),
)
"""The keys of the job's gates in the Evaluator's configuration."""


class Input(NamedTuple):
    """An input artifact: its id, and the component and the run that made it."""

    artifact: int
    component: str
    run: str


class ExecutionFacts(NamedTuple):
    """What an execution depends on.

    Attributes:
        settings: Values by dotted key: JSON values without objects; null is the text.
        code: The digest of the code; None if the component has none.
        files: Fingerprints of files by the key of the job that names them.
        inputs: Input artifacts by channel; None if they do not exist yet.
        beam: Beam's flags; None if they are not known or the component does not use Beam.
    """

    settings: Mapping[str, Any]
    code: str | None = None
    files: Mapping[str, str] = MappingProxyType({})
    inputs: Mapping[str, tuple[Input, ...]] | None = None
    beam: tuple[str, ...] | None = None


def facts_of(
    component: str,
    properties: Mapping[str, Any],
    inputs: Mapping[str, tuple[Input, ...]] | None = None,
    beam: Sequence[str] | None = None,
) -> ExecutionFacts:
    """Returns the facts of an execution.

    Args:
        component: The component.
        properties: Its parameters as ML Metadata stores them, in which strings may hold JSON, even inside JSON.
        inputs: See `ExecutionFacts`.
        beam: See `ExecutionFacts`.
    """
    sections = _SECTIONS.get(component, {})
    settings: dict[str, Any] = {}
    files: dict[str, str] = {}
    code = None
    for key, value in _flat(properties, ""):
        if key == "code" or key.endswith(".code"):
            code = value
        elif key in _FINGERPRINTS:
            files[_FINGERPRINTS[key]] = value
        elif key not in _RESOLVED:
            settings[_job_key(key, sections)] = value
    return ExecutionFacts(settings, code, files, inputs, None if beam is None else tuple(beam))


def _flat(values: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    """Yields the leaves of nested objects with their dotted keys; objects in a list are keyed by name or number."""
    for name, value in values.items():
        key = f"{prefix}{name}"
        parsed = _parsed(value)
        if isinstance(parsed, list) and parsed and all(isinstance(_parsed(each), dict) for each in parsed):
            objects = [_parsed(each) for each in parsed]
            parsed = {_name(each, str(number)): each for number, each in enumerate(objects)}
        if isinstance(parsed, dict) and parsed:
            yield from _flat(parsed, f"{key}.")
        else:
            yield key, "null" if parsed is None else parsed


def _name(value: Mapping[str, Any], default: str) -> str:
    config = _parsed(value.get("config"))
    return str(config.get("name", default)) if isinstance(config, dict) else default


def _parsed(value: Any) -> Any:
    if isinstance(value, str) and value.startswith(("{", "[")):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return value


def _job_key(key: str, sections: Mapping[str, str]) -> str:
    for parameter, section in sections.items():
        if key == parameter or key.startswith(f"{parameter}."):
            return section + key[len(parameter) :]
    for pattern, replacement in _GATES:
        if pattern.fullmatch(key):
            return pattern.sub(replacement, key)
    return key
