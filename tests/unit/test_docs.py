"""The documentation is valid: its YAML loads, its commands parse, and its files, keys and targets exist."""

import re
import shlex
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml
from pydantic import BaseModel

from pipeline.tasks.loading import JOBS, load

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
CONFIGS = sorted((ROOT / "configs").glob("*.yaml"))
FOLDERS = {path.name for path in ROOT.iterdir() if path.is_dir()} - {"runs"}
SECTIONS = {name for job in JOBS.values() for name in job.model_fields}
FILES = {"metadata.sqlite", "metadata.tsv"}
"""Names of files that look like keys of a section."""
CORPORA: dict[str, dict[str, Any]] = {
    "classifier": {"format": "csv", "path": "data.csv", "label": "label"},
    "tagger": {"format": "conll", "path": "data.conll"},
    "word2vec": {"format": "text", "path": "data.txt"},
    "dataset": {"format": "text", "path": "data.txt"},
}
"""A corpus for fragments of jobs, by task."""


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def fenced(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)


def inline(page: Path) -> list[str]:
    """Inline code; it may span two lines."""
    text = re.sub(r"^(```.*?^```|    \S.*?$)", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)
    return [" ".join(code.split()) for code in re.findall(r"`([^`]+)`", text)]


def shown_lines(page: Path) -> list[str]:
    """Lines of indented and fenced code without prompts, and comments of YAML files."""
    text = page.read_text()
    if page.suffix == ".yaml":
        comments = re.findall(r"#(.*)$", text, re.MULTILINE)
        return re.findall(r"seqloom (?:[\w/-]+(?:\.yaml)? ?)+", "\n".join(comments))
    code = [*re.findall(r"^    (\S.*)$", text, re.MULTILINE), *"".join(fenced(page, r"\w*")).splitlines()]
    return [re.sub(r"^(\$ )?(\.venv/bin/)?", "", line) for line in code]


def with_corpus(fragment: dict[str, Any]) -> dict[str, Any]:
    """Completes a fragment of a job, by default of a classifier's."""
    task = fragment.get("task", "classifier")
    return {"name": "shown", "task": task, **fragment, "corpus": {**CORPORA[task], **fragment.get("corpus", {})}}


def blocks(language: str) -> list[Any]:
    return [pytest.param(block, id=name_of(page)) for page in PAGES for block in fenced(page, language)]


@pytest.mark.parametrize("block", blocks("yaml"))
def test_every_yaml_block_is_a_valid_job_or_part_of_one(block: str, tmp_path: Path) -> None:
    path, keys = tmp_path / "job.yaml", yaml.safe_load(block)
    if {"name", "task", "corpus"} <= set(keys):
        path.write_text(block)
    else:
        # PyYAML reads 1e-4 as a string, so the fragment is kept as text, except its corpus.
        completed = with_corpus(keys)
        added = {key: completed[key] for key in completed if key not in keys or key == "corpus"}
        kept = re.sub(r"^corpus:.*\n(?:[ \t].*\n)*", "", block, flags=re.MULTILINE)
        path.write_text(yaml.safe_dump(added) + kept)
    assert load(path).task in JOBS


def commands() -> Iterator[Any]:
    for page in (*PAGES, *CONFIGS):
        lines = [(line, False) for line in shown_lines(page)]
        lines += [(code, True) for code in inline(page)] if page.suffix == ".md" else []
        for line, is_mention in dict.fromkeys(lines):
            if line.startswith("seqloom "):
                yield pytest.param(line, is_mention, id=f"{name_of(page)}-{line}")


@pytest.mark.parametrize(("line", "is_mention"), list(commands()))
def test_every_command_parses(line: str, is_mention: bool, tmp_path: Path) -> None:
    from pipeline.cli.app import app

    arguments = shlex.split(line, comments=True)[1:]
    arguments = arguments[: arguments.index(">")] if ">" in arguments else arguments
    command: Any = typer.main.get_command(app)
    while arguments and hasattr(command, "commands"):
        command = command.commands[arguments.pop(0)]
    if is_mention:
        options = {option for parameter in command.params for option in parameter.opts}
        assert {argument for argument in arguments if argument.startswith("-")} <= options
        return
    context = command.make_context("seqloom", arguments)
    if context.params.get("overrides"):
        path = tmp_path / "job.yaml"
        fragment = {"tune": {"space": {"trainer.units": {"values": [8, 16]}}}}
        path.write_text(yaml.safe_dump(with_corpus(fragment)))
        load(path, context.params["overrides"])


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    shown = [re.match(r"make ([a-z-]+)", code) for code in (*inline(page), *shown_lines(page))]
    assert {match[1] for match in shown if match} <= targets


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_and_file_exists(page: Path) -> None:
    links = re.findall(r"\[[^]]*\]\((?!\w+://)([^)#\s]+)\)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []
    paths = [code.split()[0] for code in inline(page) if "/" in code and code.partition("/")[0] in FOLDERS]
    assert [path for path in paths if not list(ROOT.glob(re.sub("<[a-z]+>", "*", path.rstrip("/"))))] == []


def accepts(annotation: Any, keys: list[str]) -> bool:
    """Whether settings of a type have a nested key; any key of a mapping is one."""
    if not keys or typing.get_origin(annotation) is dict:
        return True
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        fields = {field.alias or name: field.annotation for name, field in annotation.model_fields.items()}
        return keys[0] in fields and accepts(fields[keys[0]], keys[1:])
    return any(accepts(inner, keys) for inner in typing.get_args(annotation))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_dotted_key_is_a_key_of_some_job(page: Path) -> None:
    shown = [match[0] for code in inline(page) if (match := re.match(r"[a-z]+(\.[a-z]\w*)+(?![\w/(])", code))]
    keys = [key.split(".") for key in shown if key.partition(".")[0] in SECTIONS and key not in FILES]
    keys = [key for key in keys if not list(ROOT.glob("/".join(key[:2]) + "*"))]  # modules such as trainer.errors
    assert [key for key in keys if not any(accepts(job, key) for job in JOBS.values())] == []


@pytest.mark.parametrize("block", blocks("python"))
def test_every_python_block_compiles_and_its_imports_work(block: str) -> None:
    compile(block, "block", "exec")
    exec("\n".join(re.findall(r"^(?:from|import) .*$", block, re.MULTILINE)), {})
