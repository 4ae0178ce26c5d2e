"""The locks, their distributions, and the repository's folders."""

import fnmatch
import importlib.metadata
import re
import sys
import sysconfig
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"pipeline", "components", "trainer", "schema"}
FOLDERS = PACKAGES | {"configs", "bench"}
LOCKS = {"3.10": "py310.txt", "3.11": "py311.txt", "3.12": "py311.txt", "3.13": "py311.txt"}


def locked(name: str) -> dict[Requirement, list[str]]:
    """The requirements of a lock file, each with its hashes."""
    requirements: dict[Requirement, list[str]] = {}
    for line in (ROOT / "locks" / name).read_text().replace("\\\n", " ").splitlines():
        text = line.partition(" #")[0].strip()
        if text and not text.startswith("#"):
            requirement, *hashes = re.split(r"\s+--hash=", text)
            requirements[Requirement(requirement)] = hashes
    return requirements


def applying(requirements: list[Requirement], python: str) -> list[Requirement]:
    environment = {"python_version": python, "python_full_version": f"{python}.0", "extra": ""}
    return [found for found in requirements if found.marker is None or found.marker.evaluate(environment)]


def pinned(python: str) -> dict[str, str]:
    """Locked version by name, as installed for a Python version on this host."""
    found = applying(list(locked(LOCKS[python])), python)
    return {canonicalize_name(requirement.name): str(requirement.specifier)[2:] for requirement in found}


def project() -> dict[str, Any]:
    settings: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return settings


@pytest.mark.parametrize("name", ["py310.txt", "py311.txt", "uv.txt"])
def test_every_locked_requirement_is_pinned_and_hashed_without_addresses_and_folders(name: str) -> None:
    requirements = locked(name)
    assert requirements
    for requirement, hashes in requirements.items():
        assert re.fullmatch(r"==[\w.!+]+", str(requirement.specifier)), requirement
        assert requirement.url is None
        assert hashes, requirement
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", found) for found in hashes), requirement
    text = (ROOT / "locks" / name).read_text()
    assert "://" not in text
    assert not re.search(r"(--(extra-)?index-url|--find-links|-i |-f |/(tmp|home|root|Users)/)", text)


@pytest.mark.parametrize("python", LOCKS)
def test_locks_satisfy_what_the_project_asks_for(python: str) -> None:
    versions = pinned(python)
    asked = [text for extra in project()["optional-dependencies"].values() for text in extra]
    requirements = applying([Requirement(text) for text in [*project()["dependencies"], *asked]], python)
    assert len(requirements) > 10
    for requirement in requirements:
        assert requirement.specifier.contains(versions[canonicalize_name(requirement.name)]), requirement


def test_each_python_gets_one_stack() -> None:
    tfx = {python: pinned(python)["tfx"] for python in LOCKS}
    assert tfx == {"3.10": "1.16.0", "3.11": "1.21.0", "3.12": "1.21.0", "3.13": "1.21.0"}
    supported = re.fullmatch(r">=(3\.\d+),<(3\.\d+)", project()["requires-python"])
    assert supported
    assert supported.groups() == ("3.10", "3.14")


def installed() -> dict[str, importlib.metadata.Distribution]:
    """The environment's distributions by name, without those inside setuptools, which it may put on the path."""
    folders = sorted({sysconfig.get_paths()[name] for name in ("purelib", "platlib")})
    return {canonicalize_name(found.name): found for found in importlib.metadata.distributions(path=folders)}


def test_the_environment_equals_the_lock() -> None:
    wanted = pinned(f"{sys.version_info.major}.{sys.version_info.minor}")
    found = {name: distribution.version for name, distribution in installed().items() if name != "seqloom"}
    assert found == wanted


def test_no_locked_distribution_has_a_top_level_package_of_our_names() -> None:
    owners = defaultdict(set)
    for name, distribution in installed().items():
        for file in distribution.files or [] if name != "seqloom" else []:
            if file.suffix in (".py", ".so", ".pyi"):
                owners[file.parts[0].partition(".")[0]].add(name)
    assert {"tensorflow", "tfx", "apache_beam", "six"} <= owners.keys()
    assert {package: owners[package] for package in FOLDERS & owners.keys()} == {}


def test_every_folder_is_a_package_or_documented() -> None:
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text().split()]
    folders = {path.name for path in ROOT.iterdir() if path.is_dir() and not path.name.startswith(".")}
    folders = {name for name in folders if not any(fnmatch.fnmatch(name, pattern) for pattern in ignored)}
    assert folders >= FOLDERS
    documented = set(re.findall(r"^\| `(\w+)/` \|", (ROOT / "CONTRIBUTING.md").read_text(), re.MULTILINE))
    assert documented == folders
