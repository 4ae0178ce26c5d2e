"""Python, the libraries that seqloom requires, their byte code, and the C library."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import platform
import shlex
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from pipeline.diagnosis.diagnosis import Diagnosis, missing, ok, warning

_SHOWN = {"tensorflow": "TensorFlow", "tfx": "TFX", "apache-beam": "Apache Beam"}
"""The libraries with a line of their own."""

_SLOW = ("tfx", "tensorflow", "apache_beam")
"""The packages whose import takes long without byte code."""

_GLIBC = {"3.10": "2.17"}
_NEWER_GLIBC = "2.39"
"""The oldest glibc of the wheels, by version of Python, and for all others."""


def software() -> Iterator[Diagnosis]:
    """Yields what is found of Python and of the libraries."""
    try:
        own = importlib.metadata.distribution("seqloom")
    except importlib.metadata.PackageNotFoundError:
        found = f"not installed in {sys.prefix}, so the versions of its libraries are not checked"
        yield warning("seqloom", found, "run `make env`, or install the wheel with pip")
    else:
        yield ok("seqloom", own.version)
        yield python(own.metadata["Requires-Python"], platform.python_version())
        yield from libraries(own.requires or ())
    if sys.platform == "linux":
        yield glibc(_libc(), f"{sys.version_info.major}.{sys.version_info.minor}")
    yield byte_code(_SLOW)


def python(required: str, version: str) -> Diagnosis:
    """Checks the version of Python; `required` is a specifier such as >=3.10,<3.14."""
    found = f"{version}, {sys.executable}"
    if SpecifierSet(required).contains(version, prereleases=True):
        return ok("Python", found)
    return missing("Python", found, f"create the environment with a Python {required}")


def glibc(libc: str, python_version: str) -> Diagnosis:
    """Checks the C library.

    Args:
        libc: Its name and version: glibc 2.36.
        python_version: The version of Python: 3.10.
    """
    name, _, version = libc.partition(" ")
    oldest = _GLIBC.get(python_version, _NEWER_GLIBC)
    if name != "glibc":
        remedy = "use Debian, Ubuntu or Fedora: TFX has wheels only for glibc"
        return missing("C library", libc or "none that is known", remedy)
    if Version(version) < Version(oldest):
        newer = "" if python_version in _GLIBC else ", or Python 3.10"
        return missing("C library", libc, f"use a system with glibc {oldest} or newer{newer}")
    return ok("C library", libc)


def libraries(requirements: Sequence[str]) -> Iterator[Diagnosis]:
    """Compares the installed libraries with requirements, leaving out extras and those of other versions of Python."""
    parsed = [Requirement(text) for text in requirements]
    needed = [one for one in parsed if one.marker is None or one.marker.evaluate({"extra": ""})]
    found = {one.name: _installed(one.name) for one in needed}
    for one in needed:
        if one.name in _SHOWN:
            yield _library(one, found[one.name])
    others = [one for one in needed if one.name not in _SHOWN]
    wrong = [one for one in others if not _fits(one, found[one.name])]
    if wrong:
        shown = ", ".join(f"{one.name} {found[one.name] or 'is missing'}" for one in wrong)
        yield missing("Other libraries", shown, _install(*wrong))
    else:
        yield ok("Other libraries", f"{len(others)} with versions that seqloom accepts")


def byte_code(packages: Sequence[str]) -> Diagnosis:
    """Checks that packages are compiled, so that importing them does not take half a minute."""
    specs = [spec for package in packages if (spec := importlib.util.find_spec(package)) and spec.origin]
    lacking = [spec for spec in specs if not Path(importlib.util.cache_from_source(str(spec.origin))).exists()]
    if not lacking:
        return ok("Byte code", "of " + ", ".join(spec.name for spec in specs) if specs else "of no library")
    folders = sorted({str(Path(str(spec.origin)).parents[1]) for spec in lacking})
    remedy = f"run `{shlex.join([sys.executable, '-m', 'compileall', '-q', *folders])}`"
    if os.environ.get("PYTHONDONTWRITEBYTECODE"):
        remedy += ", since PYTHONDONTWRITEBYTECODE is set"
    found = f"none of {', '.join(spec.name for spec in lacking)}, so each command imports slowly"
    return warning("Byte code", found, remedy)


def _library(required: Requirement, version: str | None) -> Diagnosis:
    name = _SHOWN[required.name]
    if version is None:
        return missing(name, "not installed", _install(required))
    if not _fits(required, version):
        return missing(name, f"{version}, where seqloom is made for {required.specifier}", _install(required))
    return ok(name, version)


def _installed(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _fits(required: Requirement, version: str | None) -> bool:
    return version is not None and required.specifier.contains(version, prereleases=True)


def _install(*requirements: Requirement) -> str:
    wanted = shlex.join(f"{one.name}{one.specifier}" for one in requirements)
    return f"run `make env`, or {shlex.quote(sys.executable)} -m pip install {wanted}"


def _libc() -> str:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION") or ""
    except (ValueError, OSError):
        return ""
