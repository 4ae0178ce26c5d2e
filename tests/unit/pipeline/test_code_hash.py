"""The digest of the code behind a module, computed in a copy of the project."""

import ast
import json
import runpy
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from pipeline.dag import dag
from pipeline.dag.code_hash import code_closure, source_hash
from pipeline.tasks.loading import JOBS
from pipeline.tasks.registry import task_of

ROOT = Path(__file__).resolve().parents[3]
CORPORA: dict[str, dict[str, Any]] = {
    "classifier": {"corpus": {"format": "csv", "path": "x", "label": "y", "multi_label": True}},
    "tagger": {"corpus": {"format": "conll", "path": "x"}, "transform": {"tokenizer": "whitespace"}},
    "word2vec": {"corpus": {"format": "csv", "path": "x"}},
}


def components() -> dict[str, tuple[str, ...]]:
    """The modules of the components of all tasks, as "Trainer of tagger"."""
    found = {}
    for task, sections in CORPORA.items():
        job = JOBS[task].model_validate({"name": "a", "task": task, **sections})
        modules = dag.code_modules(job)
        used = {name for goal in ("publish", "tune", "check") for name in task_of(job).components(job, goal)}
        found |= {f"{name} of {task}": modules[name] for name in modules if name in used}
    return found


COMPONENTS = components()


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; a test that edits it reverts the edit."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("pipeline", "components", "trainer", "schema"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def before(copy: Path) -> list[str]:
    """The digests of all components in the copy as it is."""
    return hashes(copy, *COMPONENTS.values())


def hashes(folder: Path, *modules: tuple[str, ...]) -> list[str]:
    """Digests by the copy's own code, which reads the files next to it."""
    module = runpy.run_path(str(folder / "pipeline" / "dag" / "code_hash.py"))
    return [module["source_hash"](*names) for names in modules]


def of(components: tuple[str, ...], *tasks: str) -> set[str]:
    """The components of these tasks, or of all tasks."""
    return {f"{component} of {task}" for component in components for task in tasks or CORPORA} & COMPONENTS.keys()


GEN, VALIDATOR, TRANSFORM = ("CorpusExampleGen",), ("ExampleValidator",), ("SequenceTransform",)
SETS, EVALUATOR, LINEAR = ("EvaluationSets",), ("Evaluator",), ("LinearBaseline",)
LEARNING = ("Trainer", "Tuner", "LearningCheck")
SUPERVISED = of(LEARNING, "classifier", "tagger")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("trainer/jobs/entry_point.py", of(("Trainer",))),
        *((f"trainer/{file}.py", SUPERVISED) for file in ("training/loop", "data/reading", "recurrent/stack")),
        ("trainer/classifier/attention.py", of(LEARNING, "classifier")),
        ("trainer/tagger/model.py", of(LEARNING, "tagger")),
        ("trainer/word2vec/windows.py", of(LEARNING, "word2vec")),
        ("trainer/classifier/metrics/many_labels.py", of((*EVALUATOR, *LINEAR), "classifier")),
        ("components/linear_baseline/linear_model.py", of(LINEAR)),
        *((f"trainer/{task}/metrics.py", of(EVALUATOR, task)) for task in ("tagger", "word2vec")),
        ("components/evaluator/figure_metric.py", of(EVALUATOR)),
        ("trainer/text/preprocessing.py", of(TRANSFORM)),
        ("trainer/__init__.py", set(COMPONENTS)),
        ("components/shared/sequence_encoding.py", of((*TRANSFORM, *GEN))),
        ("components/sequence_transform/vocabulary.py", of(TRANSFORM)),
        ("components/corpus_example_gen/readers/delimited/csv_reader.py", of(GEN)),
        ("components/corpus_example_gen/__init__.py", of((*GEN, *VALIDATOR))),
        ("components/evaluation_sets/executor.py", of(SETS)),
        *((file, set()) for file in ("pipeline/cli/app.py", "pipeline/dag/gates.py", "components/pusher/publish.py")),
        *((f"trainer/{task}/answers.py", set()) for task in CORPORA),
    ],
)
def test_an_edit_changes_the_digests_of_what_imports_the_file(copy, before, file, expected):
    path = copy / file
    whole = path.read_text()
    path.write_text(whole + "# edited\n")
    try:
        after = hashes(copy, *COMPONENTS.values())
    finally:
        path.write_text(whole)
    assert {name for name, old, new in zip(COMPONENTS, before, after, strict=True) if old != new} == expected


@pytest.mark.parametrize("task", CORPORA)
def test_no_component_is_keyed_by_the_code_of_another_task(task: str) -> None:
    own = [modules for name, modules in COMPONENTS.items() if name.endswith(f" of {task}")]
    used = {name for modules in own for name in code_closure(*modules)}
    assert f"trainer.{task}.metrics" in used
    others = tuple(f"trainer.{other}." for other in CORPORA if other != task)
    assert not [name for name in used if name.startswith(others)]


def test_digests_depend_neither_on_the_folder_nor_on_the_process(copy: Path, before: list[str]) -> None:
    assert before == [source_hash(*modules) for modules in COMPONENTS.values()]
    code = "import json, sys; from pipeline.dag.code_hash import source_hash\n"
    code += "print(json.dumps([source_hash(*names.split()) for names in sys.argv[1:]]))"
    command = [sys.executable, "-c", code, *(" ".join(modules) for modules in COMPONENTS.values())]
    assert json.loads(subprocess.run(command, cwd=copy, env={}, capture_output=True, check=True).stdout) == before


def test_all_forms_of_imports_and_the_names_of_modules_count(tmp_path: Path) -> None:
    (tmp_path / "pipeline" / "dag").mkdir(parents=True)
    shutil.copy(ROOT / "pipeline" / "dag" / "code_hash.py", tmp_path / "pipeline" / "dag")
    package = tmp_path / "trainer"
    (package / "deep").mkdir(parents=True)
    for name in ("__init__", "deep/__init__", "a", "b", "c", "deep/d", "late"):
        (package / f"{name}.py").write_text("")
    (package / "top.py").write_text(
        "import trainer.a\nfrom trainer import b as other\nfrom trainer.c import name\nfrom trainer.deep import d\n"
        "import json, trainer.missing\ndef later():\n    from trainer import late\n"
    )
    for name in ("__init__", "deep/__init__", "a", "b", "c", "deep/d", "late", "top"):
        before = hashes(tmp_path, ("trainer.top",))
        path = package / f"{name}.py"
        path.write_text(path.read_text() + "# edited\n")
        assert hashes(tmp_path, ("trainer.top",)) != before, name
    before = hashes(tmp_path, ("trainer.a",))
    (package / "a.py").rename(package / "e.py")
    assert hashes(tmp_path, ("trainer.e",)) != before


def test_no_module_is_imported_by_a_relative_name() -> None:
    """`source_hash` follows absolute names only."""
    for package in ("pipeline", "components", "trainer", "schema"):
        for path in (ROOT / package).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text()))
            assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes), path
