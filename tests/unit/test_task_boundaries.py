"""Only a task's own folder and its declaration name it: what a new task has to touch."""

import re
from pathlib import Path

import pytest

from pipeline.tasks import registry
from trainer.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
TASKS = [name for name, task in registry.TASKS.items() if task.job.model_fields["trainer"].annotation is not Settings]
"""The tasks that train."""

FILES = sorted(
    path.relative_to(ROOT).as_posix()
    for layer in ("pipeline", "components", "trainer", "schema")
    for path in (ROOT / layer).rglob("*.py")
)
OWN = ("pipeline/tasks/registry.py", *(f"pipeline/tasks/{task}.py" for task in TASKS))
SHARED = [path for path in FILES if not path.startswith((*OWN, *(f"trainer/{task}/" for task in TASKS)))]
NAMES = re.compile("|".join(TASKS), re.IGNORECASE)
FORMAT = re.compile(r"(original )?word2vec('s)? (or GloVe|text|binary|line|ends)")
"""The file format is named after the tool that made it known."""


def named(text: str) -> list[str]:
    """The lines that name a task, in code, strings, comments or documentation."""
    return [line for line in text.splitlines() if NAMES.search(FORMAT.sub("", line))]


@pytest.mark.parametrize("path", SHARED)
def test_shared_code_names_no_task(path: str) -> None:
    assert named("\n".join([path, (ROOT / path).read_text()])) == []


@pytest.mark.parametrize("task", TASKS)
def test_a_task_imports_no_other(task: str) -> None:
    others = re.compile(rf"^ *(from|import) .*({'|'.join(other for other in TASKS if other != task)})", re.MULTILINE)
    own = [path for path in FILES if path.startswith((f"trainer/{task}/", f"pipeline/tasks/{task}.py"))]
    assert len(own) > 5
    assert [path for path in own if others.search((ROOT / path).read_text())] == []


def test_the_rule_finds_violations() -> None:
    lines = ["from trainer.tagger import x", 'x = "a tagger"', "class Word2vecThing: ...", '"""A classifier."""']
    assert named("\n".join([*lines, "x = 1", "# In word2vec's or GloVe's format."])) == lines
