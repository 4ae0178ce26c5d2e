"""What a compiled DAG file does, without Airflow: its commands, rendered as Airflow renders them."""

from __future__ import annotations

import ast
import datetime
from types import SimpleNamespace
from typing import Any

import jinja2

_KEPT = (ast.Import, ast.Assign, ast.FunctionDef)


def parts(text: str) -> dict[str, Any]:
    """The constants and functions of a DAG file, which need no Airflow."""
    tree = ast.parse(text)
    tree.body = [node for node in tree.body if isinstance(node, _KEPT)]
    found: dict[str, Any] = {}
    exec(compile(tree, "dag", "exec"), found)
    return found


def commands(text: str, run_id: str, time: datetime.datetime) -> dict[str, list[str]]:
    """The commands of a DAG file by component, in the order of the file, for a run of Airflow."""
    found = parts(text)
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined)
    environment.filters["seqloom_run_id"] = found["step_run_id"]
    environment.filters["seqloom_span"] = found.get("span_of")
    run = {"run_id": run_id, "dag_run": SimpleNamespace(logical_date=time)}
    start = [str(environment.from_string(word).render(run)) for word in found["COMMAND"]]
    return {name: [*start, "--only", name] for name in found["UPSTREAM"]}
