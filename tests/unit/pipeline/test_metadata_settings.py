"""The section metadata: a file, or a database whose password is nowhere in the YAML."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from pipeline.cli.app import app
from pipeline.config.job import Job
from pipeline.config.metadata_settings import MetadataSettings, ServerAddress
from pipeline.store.passwords import password_of, secrets_of
from pipeline.tasks.loading import load
from trainer.errors import JobError

SECRETS = ("hunter2", "p/w@x", "?a=b#c", "s3cr3t word")
FORM = "mysql://USER@HOST:PORT/DATABASE or postgresql://USER@HOST:PORT/DATABASE"


@pytest.fixture
def job_of(tmp_path: Path):
    def make(metadata: str) -> Job:
        (tmp_path / "a.txt").write_text("One document.\n")
        path = tmp_path / "job.yaml"
        path.write_text(f"name: job\ntask: dataset\ncorpus: {{format: text, path: a.txt}}\nmetadata: {metadata}\n")
        return load(path)

    return make


@pytest.mark.parametrize(
    ("given_value", "address"),
    [
        ("sqlite", None),
        ("mysql://me@host:3307/runs", ServerAddress("mysql", "me", "host", 3307, "runs")),
        ("mysql://me@host/runs", ServerAddress("mysql", "me", "host", 3306, "runs")),
        ("postgresql://m%40x@10.0.0.1/a_b-c", ServerAddress("postgresql", "m@x", "10.0.0.1", 5432, "a_b-c")),
        ("postgresql://me@[::1]:1/r", ServerAddress("postgresql", "me", "::1", 1, "r")),
        ("{url: mysql://me@host/runs, password_file: pw}", ServerAddress("mysql", "me", "host", 3306, "runs")),
    ],
)
def test_the_section_is_a_url_or_has_one(job_of, given_value: str, address: ServerAddress | None) -> None:
    assert job_of(given_value).metadata.address == address


def test_the_default_is_a_file() -> None:
    assert (MetadataSettings().url, MetadataSettings().address) == ("sqlite", None)


@pytest.mark.parametrize(
    ("section", "what", "detail"),
    [
        ("mysql://host/runs", "metadata.url is not the address of a database.", f"expected: sqlite, {FORM}"),
        ("mariadb://me@host/runs", "metadata.url is not the address of a database.", "found: mariadb://me@host/runs"),
        ("mysql://me@host:99999/runs", "metadata.url is not the address of a database.", "found: mysql://me@host:99"),
        ("mysql://me@host", "metadata.url is not the address of a database.", "found: mysql://me@host"),
        ("mysql://me@host/runs?ssl=1", "metadata.url is not the address of a database.", "found: mysql://me@host/runs"),
        ("{password_file: a}", "metadata.password_file needs a server.", "fix: remove it, or set metadata.url"),
        ("{adress: sqlite}", "The key metadata.adress is unknown.", "expected: url, password_file"),
        ("[sqlite]", "The value of metadata is not valid.", "found: a list"),
    ],
)
def test_a_wrong_section_is_explained_with_its_line(job_of, section: str, what: str, detail: str) -> None:
    with pytest.raises(JobError) as failure:
        job_of(section)
    text = str(failure.value)
    assert text.startswith(what)
    assert detail in text
    assert "job.yaml:4, metadata" in text


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("scheme", ["mysql", "postgresql", "mariadb"])
def test_a_password_in_the_url_is_refused_and_not_shown(tmp_path: Path, job_of, secret: str, scheme: str) -> None:
    job_of("sqlite")
    url = f"{scheme}://me:{secret}@host/runs"
    for given_value in (url, f"url: {url}"):
        path = tmp_path / "other.yaml"
        form = f"'{url}'" if given_value == url else f"{{url: '{url}'}}"
        path.write_text((tmp_path / "job.yaml").read_text().replace("sqlite", form))
        for command in ("check", "show"):
            shown = CliRunner().invoke(app, ["config", command, str(path)])
            assert shown.exit_code == 2
            assert "metadata.url has a password." in shown.output
            assert secret not in shown.output
    shown = CliRunner().invoke(app, ["config", "check", str(tmp_path / "job.yaml"), "--set", f"metadata={url}"])
    assert shown.exit_code == 2
    assert secret not in shown.output


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_other_url_is_refused(text: str) -> None:
    settings = MetadataSettings.model_construct(url=text, password_file=None)
    problems = [problem.what for problem in settings.problems()]
    assert (problems == []) == (text == "sqlite" or settings.address is not None)


def test_the_password_comes_from_the_file_or_the_environment(
    tmp_path: Path, job_of, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEQLOOM_METADATA_PASSWORD", "of the environment")
    (tmp_path / "pw").write_text("of the file\n")
    assert password_of(job_of("mysql://me@host/runs")) == "of the environment"
    job = job_of("{url: mysql://me@host/runs, password_file: pw}")
    assert (password_of(job), list(secrets_of(job))) == ("of the file", ["of the file"])
    monkeypatch.delenv("SEQLOOM_METADATA_PASSWORD")
    assert list(secrets_of(job_of("mysql://me@host/runs"))) == []


@pytest.mark.parametrize(
    ("content", "what"),
    [(None, "does not exist"), (b"\n", "The password file is empty."), (b"\xff", "The password file cannot be read.")],
)
def test_a_bad_password_file_is_explained(tmp_path: Path, job_of, content: bytes | None, what: str) -> None:
    if content is not None:
        (tmp_path / "pw").write_bytes(content)
    job = job_of("{url: mysql://me@host/runs, password_file: pw}")
    with pytest.raises(JobError, match=what):
        password_of(job)
    shown = CliRunner().invoke(app, ["config", "check", str(tmp_path / "job.yaml")])
    assert (shown.exit_code == 2) == (content is None)


def test_the_dumped_configuration_has_no_password(tmp_path: Path, job_of, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEQLOOM_METADATA_PASSWORD", "hunter2")
    job_of("mysql://me@host/runs")
    shown = CliRunner().invoke(app, ["config", "show", str(tmp_path / "job.yaml")])
    assert (shown.exit_code, "url: mysql://me@host/runs" in shown.output) == (0, True), shown.output
    assert "hunter2" not in shown.output
