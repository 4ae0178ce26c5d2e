"""Python, the C library, the versions of libraries and their byte code."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import platform
import py_compile
import sys
from pathlib import Path

import pytest

from pipeline.diagnosis.diagnosis import DiagnosisState
from pipeline.diagnosis.software import byte_code, glibc, libraries, python, software


def states(requirements: list[str]) -> dict[str, str]:
    return {one.name: one.state.value for one in libraries(requirements)}


@pytest.mark.parametrize(("version", "state"), [("3.10.13", "ok"), ("3.13.5", "ok"), ("3.9.2", "missing")])
def test_python_is_compared_with_what_is_required(version: str, state: str) -> None:
    found = python(">=3.10,<3.14", version)
    assert (found.state, found.found) == (state, f"{version}, {sys.executable}")
    assert (found.remedy is None) == (state == "ok")


@pytest.mark.parametrize(
    ("libc", "version", "remedy"),
    [
        ("glibc 2.17", "3.10", None),
        ("glibc 2.9", "3.10", "use a system with glibc 2.17 or newer"),
        ("glibc 2.39", "3.13", None),
        ("glibc 2.36", "3.13", "use a system with glibc 2.39 or newer, or Python 3.10"),
        ("", "3.13", "use Debian, Ubuntu or Fedora: TFX has wheels only for glibc"),
    ],
)
def test_each_python_needs_its_glibc(libc: str, version: str, remedy: str | None) -> None:
    found = glibc(libc, version)
    assert (found.state, found.remedy) == ("missing" if remedy else "ok", remedy)


def test_libraries_of_other_pythons_and_extras_are_left_out() -> None:
    tfx, others = libraries(
        [
            f"tfx=={importlib.metadata.version('tfx')}",
            "tensorflow==1.0; python_version < '3'",
            "faiss-cpu==0.1; extra == 'index'",
            "psutil>=5",
        ]
    )
    assert tfx == ("TFX", "ok", importlib.metadata.version("tfx"), None)
    assert others == ("Other libraries", "ok", "1 with versions that seqloom accepts", None)


def test_other_versions_and_missing_libraries_are_named_with_the_command_that_installs_them() -> None:
    beam, others = libraries(["apache-beam==1.2.3", "psutil<1", "seqloom-absent[x]>=2,<3"])
    installed = importlib.metadata.version("apache-beam")
    assert (beam.state, beam.found) == ("missing", f"{installed}, where seqloom is made for ==1.2.3")
    assert beam.remedy == f"run `make env`, or {sys.executable} -m pip install apache-beam==1.2.3"
    assert others.state == "missing"
    assert others.found == f"psutil {importlib.metadata.version('psutil')}, seqloom-absent is missing"
    assert str(others.remedy).endswith("pip install 'psutil<1' 'seqloom-absent<3,>=2'")
    assert states([]) == {"Other libraries": "ok"}


def test_byte_code_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)
    for name in ("compiled_one", "source_one"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text("raise AssertionError('imported')\n")
    py_compile.compile(str(tmp_path / "compiled_one" / "__init__.py"))
    monkeypatch.syspath_prepend(tmp_path)
    importlib.invalidate_caches()
    assert byte_code(["compiled_one"]) == ("Byte code", "ok", "of compiled_one", None)
    found = byte_code(["compiled_one", "source_one", "absent_one"])
    assert (found.state, found.found) == ("warning", "none of source_one, so each command imports slowly")
    assert found.remedy == f"run `{sys.executable} -m compileall -q {tmp_path}`"
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    assert str(byte_code(["source_one"]).remedy).endswith(", since PYTHONDONTWRITEBYTECODE is set")


def test_without_an_installed_seqloom_the_versions_are_not_compared(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    found = {one.name: one for one in software()}
    assert found["seqloom"][1:] == (
        "warning",
        f"not installed in {sys.prefix}, so the versions of its libraries are not checked",
        "run `make env`, or install the wheel with pip",
    )
    assert "Byte code" in found
    assert "TFX" not in found


def test_this_environment_is_that_of_the_lock() -> None:
    found = {one.name: one for one in software()}
    assert [one for one in found.values() if one.state is DiagnosisState.MISSING] == []
    assert found["Python"].found.startswith(platform.python_version())
    if sys.platform == "linux":
        assert found["C library"].found == os.confstr("CS_GNU_LIBC_VERSION")
