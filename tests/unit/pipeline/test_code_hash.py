"""The digest of the code behind a module, asked of a copy of the project."""

from __future__ import annotations

import ast
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.dag.code_hash import code_modules, source_hash
from pipeline.dag.dag import CODE

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(CODE.values())


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project; a test that edits it takes the edit back."""
    folder = tmp_path_factory.mktemp("copy")
    for package in ("pipeline", "components", "trainer", "schema"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


@pytest.fixture(scope="module")
def before(copy: Path) -> list[str]:
    """The digests of all modules in the copy as it is."""
    return hashes(copy, *MODULES)


def hashes(folder: Path, *modules: str) -> list[str]:
    """Digests by the copy's own code, which looks for files where it lies."""
    spec = importlib.util.spec_from_file_location("copied_source_hash", folder / "pipeline" / "dag" / "code_hash.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return [module.source_hash(name) for name in modules]


GEN, VALIDATOR, TRANSFORM, TRAINER, SETS, METRICS = (
    CODE[name]
    for name in ("CorpusExampleGen", "ExampleValidator", "SequenceTransform", "Trainer", "EvaluationSets", "Evaluator")
)
SUPERVISED = {CODE["LearningCheck"], CODE["Tuner"]}
TASKS = ("classifier", "tagger", "word2vec")


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("trainer/jobs/run.py", {TRAINER}),
        ("trainer/training/loop.py", SUPERVISED),
        ("trainer/tuning/values.py", {TRAINER, CODE["Tuner"]}),
        ("trainer/text/preprocessing.py", {TRANSFORM}),
        ("trainer/data/features.py", set(MODULES)),
        ("trainer/__init__.py", set(MODULES)),
        ("components/shared/sequence_encoding.py", {TRANSFORM, GEN}),
        ("components/sequence_transform/vocabulary.py", {TRANSFORM}),
        ("components/corpus_example_gen/readers/csv_reader.py", {GEN}),
        ("components/corpus_example_gen/__init__.py", {GEN, VALIDATOR}),
        ("components/evaluation_sets/executor.py", {SETS}),
        ("components/evaluator/embedding_metrics.py", {METRICS}),
        ("components/evaluator/tagging_metrics.py", {METRICS}),
        ("pipeline/cli/app.py", set()),
        ("pipeline/dag/gates.py", set()),
        ("components/pusher/publish.py", set()),
    ],
)
def test_an_edit_changes_the_digests_of_what_imports_the_file(
    copy: Path, before: list[str], file: str, expected: set[str]
) -> None:
    path = copy / file
    whole = path.read_text()
    path.write_text(whole + "# edited\n")
    try:
        after = hashes(copy, *MODULES)
    finally:
        path.write_text(whole)
    assert {name for name, old, new in zip(MODULES, before, after, strict=True) if old != new} == expected


@pytest.mark.parametrize("task", TASKS)
def test_the_code_that_trains_a_task_holds_none_of_another(task: str) -> None:
    others = tuple(f"trainer.{other}" for other in TASKS if other != task)
    for module in (TRAINER, *SUPERVISED):
        assert not [name for name in code_modules(module) if name.startswith((*others, f"trainer.{task}"))]
        found = code_modules(module, f"trainer.{task}.training")
        assert f"trainer.{task}.settings" in found
        assert not [name for name in found if name.startswith(others)]
        assert source_hash(module, f"trainer.{task}.training") != source_hash(module)


def test_digests_are_the_same_wherever_the_project_lies_and_in_another_process(copy: Path, before: list[str]) -> None:
    assert before == [source_hash(name) for name in MODULES]
    code = "import json, sys; from pipeline.dag.code_hash import source_hash\n"
    code += "print(json.dumps([source_hash(name) for name in sys.argv[1:]]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *MODULES], cwd=copy, env={}, capture_output=True, check=True, text=True
    )
    assert json.loads(done.stdout) == before


def test_a_renamed_module_changes_the_digest(tmp_path: Path) -> None:
    for package in ("pipeline", "trainer"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    before = hashes(tmp_path, "trainer.jobs.run")
    jobs = tmp_path / "trainer" / "jobs"
    (jobs / "keyed_directory.py").rename(jobs / "circle.py")
    run = jobs / "run.py"
    run.write_text(run.read_text().replace("keyed_directory", "circle"))
    assert hashes(tmp_path, "trainer.jobs.run") != before


def test_modules_named_in_any_way_of_importing_count(tmp_path: Path) -> None:
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
        before = hashes(tmp_path, "trainer.top")
        path = package / f"{name}.py"
        path.write_text(path.read_text() + "# edited\n")
        assert hashes(tmp_path, "trainer.top") != before, name


def test_no_module_is_imported_by_a_relative_name() -> None:
    """`source_hash` follows absolute names alone."""
    for package in ("pipeline", "components", "trainer", "schema"):
        for path in (ROOT / package).rglob("*.py"):
            nodes = ast.walk(ast.parse(path.read_text()))
            assert not any(isinstance(node, ast.ImportFrom) and node.level for node in nodes), path
