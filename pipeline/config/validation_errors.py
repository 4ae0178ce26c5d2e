"""Turns validation errors of a configuration into `JobError`s that name the file, the line and a fix."""

from __future__ import annotations

import types
import typing
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, RootModel, ValidationError
from pydantic.fields import FieldInfo

from pipeline.config.source import KeyPath, Source, Value, describe
from trainer.errors import JobError, Problem
from trainer.settings import IMPOSSIBLE
from trainer.text.suggestions import did_you_mean

_PLAIN = {int: "a whole number", float: "a number", bool: "true or false", str: "text"}
_CONTAINERS = {dict, list, tuple}
_BOUNDS = {
    "gt": "above {}",
    "ge": "{} or more",
    "lt": "below {}",
    "le": "at most {}",
    "multiple_of": "a multiple of {}",
    "min_length": "of length {} or more",
    "max_length": "of length {} or less",
}


def explain(
    error: ValidationError, source: Source, model: type[BaseModel], tasks: Mapping[str, type[BaseModel]] | None = None
) -> list[JobError]:
    """Turns validation errors into errors with a location, except those of values the source reports as unreadable.

    Args:
        error: The errors that pydantic found.
        source: The validated source.
        model: The model it was validated against.
        tasks: The models of all tasks, searched for keys that this model lacks.
    """
    return [
        problem
        for path, details in _distinct(error, source, model)
        if not any(_overlap(path, other) for other in source.unreadable)
        for problem in _explain(path, details, source, model, tasks or {})
    ]


def located(problems: Iterable[Problem], source: Source) -> list[JobError]:
    """Turns problems, whose paths start at the root, into errors with a location."""
    return [
        problem.error(source.where(problem.path))
        for problem in problems
        if not any(_overlap(problem.path, path) for path in source.unreadable)
    ]


def combine(name: str, problems: Sequence[JobError]) -> JobError:
    """Combines all errors of a file or command into one."""
    if len(problems) == 1:
        return problems[0]
    texts = [f"{number}. {problem}".replace("\n", "\n   ") for number, problem in enumerate(problems, start=1)]
    return JobError("\n".join([f"{len(problems)} errors in {name}:", *texts]))


def _overlap(path: KeyPath, other: KeyPath) -> bool:
    size = min(len(path), len(other))
    return path[:size] == other[:size]


def _distinct(
    error: ValidationError, source: Source, model: type[BaseModel]
) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """Yields key paths with the details of their errors.

    A value with several forms has errors for each of them; only those deepest in the value are of the form it has.
    """
    forms: dict[KeyPath, list[tuple[KeyPath, Mapping[str, Any]]]] = {}
    for number, details in enumerate(error.errors()):
        path, start = _key_path(details["loc"], details["type"], source.data, model)
        key = (number,) if start is None else ("", *start)
        forms.setdefault(key, []).append((path, {**details, "input": _value(source.data, path, details["input"])}))
    for found in forms.values():
        deepest = max(len(path) for path, _ in found)
        yield from {path: (path, details) for path, details in found if len(path) == deepest}.values()


def _key_path(location: KeyPath, kind: str, data: Value, model: type[BaseModel]) -> tuple[KeyPath, KeyPath | None]:
    """Returns the keys of pydantic's location, without its names of types, and the path of a value of several forms."""
    path: KeyPath = ()
    start = None
    for number, key in enumerate(location, start=1):
        if isinstance(data, dict) and key in data:
            path, data = (*path, key), data[str(key)]
        elif isinstance(data, list) and isinstance(key, int):
            path, data = (*path, key), data[key]
        elif (kind == "missing" and number == len(location)) or str(key) in _keys(_type(model, path)):
            path, data = (*path, key), None
        elif key != "[key]":
            start = path if start is None else start
    return path, start


def _value(data: Value, path: KeyPath, default: Value) -> Value:
    """Returns the value at a key path; the default if the text has none there, because a short form stands for it."""
    for key in path:
        if isinstance(data, dict) and key in data:
            data = data[str(key)]
        elif isinstance(data, list) and isinstance(key, int):
            data = data[key]
        else:
            return default
    return data


def _explain(
    path: KeyPath,
    details: Mapping[str, Any],
    source: Source,
    model: type[BaseModel],
    tasks: Mapping[str, type[BaseModel]],
) -> Iterator[JobError]:
    kind, keys = details["type"], ".".join(str(key) for key in path)
    if kind == IMPOSSIBLE:
        section = [str(key) for key in path]
        yield from located((problem.below(*section) for problem in details["ctx"]["problems"]), source)
    elif kind == "extra_forbidden":
        yield _unknown_key(path, source, model, tasks)
    elif kind == "missing":
        expected = _expected(_field(model, path))
        yield JobError(f"The key {keys} is missing.", where=source.where(path), expected=expected)
    elif kind == "value_error":
        what = str(details["ctx"]["error"])
        found = None if ", found " in what else describe(details["input"])
        text = f"The value of {keys} is not valid: {what}."
        yield JobError(text, where=source.where(path), found=found, fix=_unquoted(details["input"]))
    else:
        value, field = details["input"], _field(model, path)
        yield JobError(
            f"The value of {keys} is not valid.",
            where=source.where(path),
            found=describe(value),
            expected=_expected(field),
            fix=_fix(value, kind, field),
        )


def _unknown_key(
    path: KeyPath, source: Source, model: type[BaseModel], tasks: Mapping[str, type[BaseModel]]
) -> JobError:
    allowed = _keys(_type(model, path[:-1]))
    found = str(path[-1])
    sections = [".".join(section) for section in _sections_with(model, found)]
    others = [task for task, other in tasks.items() if found in _keys(_type(other, path[:-1]))]
    fix = f"{found} belongs to task {' or '.join(others)}" if others else did_you_mean(found, allowed)
    if fix is None and sections:
        fix = f"{found} belongs under {' or '.join(sections)}"
    return JobError(
        f"The key {'.'.join(str(key) for key in path)} is unknown.",
        where=source.where(path),
        found=found,
        expected=", ".join(allowed) or f"no keys under {'.'.join(str(key) for key in path[:-1])}",
        fix=fix,
    )


def _fix(value: object, kind: str, field: FieldInfo | None) -> str | None:
    if kind == "literal_error" and field is not None and isinstance(value, str):
        return did_you_mean(value, [str(choice) for choice in _choices(field.annotation)])
    if kind == "string_type" and isinstance(value, int | float):
        return f'put it in quotes: "{str(value).lower()}"'
    if isinstance(value, str) and kind in {"int_type", "float_type"}:
        return _unquoted(value)
    if kind == "bool_type" and isinstance(value, str):
        words = {"yes": "true", "on": "true", "no": "false", "off": "false"}
        return f"write {words[value.lower()]}" if value.lower() in words else None
    return None


def _unquoted(value: object) -> str | None:
    """Returns the fix of a number in quotes."""
    is_number = isinstance(value, str) and value.replace(".", "", 1).isdigit()
    return "write it without quotes" if is_number else None


def _expected(field: FieldInfo | None) -> str | None:
    if field is None:
        return None
    words = _describe_type(field.annotation, field.metadata)
    return f"{words} ({field.description.rstrip('.')})" if field.description else words


def _describe_type(annotation: Any, metadata: Sequence[Any] = ()) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _describe_type(arguments[0], [*arguments[1:], *metadata])
    if origin is Literal:
        return "one of " + ", ".join(str(choice) for choice in arguments)
    if origin in {typing.Union, types.UnionType}:
        rest = [argument for argument in arguments if argument is not type(None)]
        return " or ".join([_describe_type(each, metadata) for each in rest] + ["null"] * (len(rest) < len(arguments)))
    if annotation in _PLAIN:
        return _PLAIN[annotation] + _bounds(metadata)
    keys = _keys(annotation)
    section = f"a section with the keys {', '.join(keys)}" if keys else "a section"
    return ("a list" if origin in _CONTAINERS - {dict} else section) + _bounds(metadata)


def _bounds(metadata: Sequence[Any]) -> str:
    texts = [
        text.format(_number(getattr(constraint, name)))
        for name, text in _BOUNDS.items()
        for constraint in metadata
        if getattr(constraint, name, None) is not None
    ]
    return ", " + " and ".join(texts) if texts else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) else str(value)


def _choices(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) is Literal:
        return typing.get_args(annotation)
    return tuple(choice for argument in typing.get_args(annotation) for choice in _choices(argument))


def _model_in(annotation: Any) -> Any:
    """Returns the model, or else the container, inside an optional or annotated type."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return _model_in(arguments[0])
    if origin in {typing.Union, types.UnionType}:
        forms = [_model_in(argument) for argument in arguments if argument is not type(None)]
        return next((form for form in forms if _fields(form) or typing.get_origin(form) in _CONTAINERS), forms[0])
    if isinstance(annotation, type) and issubclass(annotation, RootModel):
        return _model_in(annotation.model_fields["root"].annotation)
    return annotation


def _fields(annotation: Any) -> dict[str, FieldInfo]:
    if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return {}
    return {field.alias or name: field for name, field in annotation.model_fields.items()}


def _keys(annotation: Any) -> list[str]:
    return list(_fields(_model_in(annotation)))


def _field(model: type[BaseModel], path: KeyPath) -> FieldInfo | None:
    """Returns the field at a key path; items of mappings and lists become fields without a description."""
    current: Any = model
    field: FieldInfo | None = None
    for key in path:
        inner = _model_in(current)
        arguments = typing.get_args(inner)
        field = _fields(inner).get(str(key))
        if field is not None:
            current = field.annotation
        elif arguments:
            current = arguments[0] if arguments[-1] is Ellipsis else arguments[-1]
            field = FieldInfo.from_annotation(current)
        else:
            return None
    return field


def _type(model: type[BaseModel], path: KeyPath) -> Any:
    field = _field(model, path)
    return model if field is None else field.annotation


def _sections_with(model: type[BaseModel], key: str, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for name, field in _fields(_model_in(model)).items():
        inner = _model_in(field.annotation)
        if key in _fields(inner):
            yield (*path, name)
        yield from _sections_with(inner, key, (*path, name))
