"""The wheel, built from a copy of the tree, installed and used outside the repository."""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import textwrap
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("pipeline", "components", "trainer", "schema")
JOB = "name: colours\ntask: classifier\ncorpus: {format: csv, path: corpus.csv, text: text, label: label}\n"


@dataclasses.dataclass(frozen=True)
class Installed:
    """The wheel, and an environment where it is the only seqloom."""

    wheel: Path
    python: Path
    site: Path
    cwd: Path

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs Python in the environment, outside the repository."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", "TERM": "dumb"}
        return subprocess.run(
            [str(self.python), *arguments], cwd=self.cwd, env=environment, capture_output=True, text=True, check=False
        )


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    work = tmp_path_factory.mktemp("wheel")
    wheel = build(work)
    venv.create(work / "environment", with_pip=False, symlinks=True)
    paths = sysconfig.get_paths(vars={"base": str(work / "environment")})
    site = Path(paths["purelib"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    # A folder named in a .pth file serves imports, but its own .pth files are ignored, such as the editable
    # install's: the locked dependencies are there and this checkout is not.
    (site / "dependencies.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    cwd = work / "elsewhere"
    cwd.mkdir()
    return Installed(wheel, Path(paths["scripts"]) / "python", site, cwd)


def build(work: Path) -> Path:
    """Builds the wheel with the locked setuptools from a copy, so that nothing is downloaded or left in the tree."""
    copy = work / "copy"
    ignore = shutil.ignore_patterns(".*", "build", "dist", "*.egg-info", "__pycache__")
    # Output of runs lies in `runs`, but `pipeline/runs` is a package.
    outputs = {str(ROOT): {"runs"}}
    shutil.copytree(ROOT, copy, ignore=lambda at, names: {*ignore(at, names), *outputs.get(str(at), ())})
    code = "import sys; from setuptools import build_meta; build_meta.build_wheel(sys.argv[1])"
    command = [sys.executable, "-c", code, str(work)]
    done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = work.glob("*.whl")
    return wheel


def test_the_wheel_contains_the_packages_and_nothing_else(installed: Installed) -> None:
    with zipfile.ZipFile(installed.wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
        licenses = [name for name in archive.namelist() if name.endswith("licenses/LICENSE")]
        schemas = {name: archive.read(name) for name in found if name.endswith(".pbtxt")}
    sources = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    wanted = {path.relative_to(ROOT).as_posix(): path for path in [*sources, *(ROOT / "schema").glob("*.pbtxt")]}
    assert found == wanted.keys()
    assert schemas
    assert schemas == {name: wanted[name].read_bytes() for name in schemas}
    assert len(licenses) == 1


def test_every_module_and_schema_is_found_outside_the_repository(installed: Installed) -> None:
    code = f"""
        import importlib, json, pkgutil
        files = []
        for package in map(importlib.import_module, {PACKAGES!r}):
            files.append(package.__file__)
            for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
                files.append(importlib.import_module(module.name).__file__)
        from schema import curated
        files.append(str(curated.path("labelled_text")))
        print(json.dumps(files))
    """
    done = installed.run("-c", textwrap.dedent(code))
    assert done.returncode == 0, done.stderr
    *files, schema = json.loads(done.stdout.splitlines()[-1])
    found = {Path(name).relative_to(installed.site).as_posix() for name in files}
    assert found == {path.relative_to(ROOT).as_posix() for name in PACKAGES for path in (ROOT / name).rglob("*.py")}
    assert Path(schema).relative_to(installed.site) == Path("schema", Path(schema).name)


def command(installed: Installed, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs the console script as the wheel's metadata declares it."""
    code = """import importlib.metadata, sys
(script,) = importlib.metadata.distribution("seqloom").entry_points.select(name="seqloom")
sys.argv[0] = "seqloom"
sys.exit(script.load()())"""
    return installed.run("-c", code, *arguments)


def test_the_command_is_installed(installed: Installed) -> None:
    done = command(installed, "--help")
    assert done.returncode == 0, done.stderr
    for name in ("run", "predict", "runs", "config"):
        assert f" {name} " in done.stdout
    assert command(installed, "--version").stdout.split() == ["seqloom", "0.1.0"]


@pytest.mark.parametrize(("key", "code", "part"), [("task", 0, "corpus.csv"), ("tasks", 2, "job.yaml:2, tasks")])
def test_config_check_reads_a_job_outside_the_repository(installed: Installed, key: str, code: int, part: str) -> None:
    (installed.cwd / "corpus.csv").write_text("text,label\nred,warm\nblue,cold\n")
    (installed.cwd / "job.yaml").write_text(JOB.replace("task:", f"{key}:"))
    done = command(installed, "config", "check", "job.yaml")
    assert done.returncode == code, done.stderr
    assert part in (done.stderr if code else done.stdout)
