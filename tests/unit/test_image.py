"""The Dockerfile does what `scripts/check-image` checks without Docker: it runs one script, then one user's command."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"


def instructions() -> list[tuple[str, str]]:
    lines = [line for line in DOCKERFILE.read_text().splitlines() if not line.startswith("#")]
    return [(name, rest) for name, _, rest in (line.partition(" ") for line in lines)]


def test_the_image_is_what_the_script_installs_and_runs_seqloom_as_its_user() -> None:
    found = instructions()
    assert [rest for name, rest in found if name in ("RUN", "COPY", "ADD")] == [
        '--mount=type=bind,target=/src GPU="$GPU" /src/deploy/install.sh'
    ]
    assert ("ENTRYPOINT", '["seqloom"]') in found
    (user,) = [rest for name, rest in found if name == "USER"]
    assert found.index(("USER", user)) > [name for name, _ in found].index("RUN")
    assert (
        re.search(r"^readonly ACCOUNT=(\w+)$", (DOCKERFILE.parent / "install.sh").read_text(), re.MULTILINE)[1] == user
    )
    assert user not in ("root", "0")


def test_the_image_and_the_check_use_the_same_system() -> None:
    (base,) = [rest for name, rest in instructions() if name == "FROM"]
    assert base == "debian:13-slim"  # trixie
    assert (
        'debootstrap --variant=minbase --include="$packages" trixie' in (ROOT / "scripts" / "debian-root").read_text()
    )


def test_the_context_has_what_the_script_copies() -> None:
    kept = re.findall(r"^!(.+)$", (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    (copied,) = re.findall(r"for part in (.+); do", (DOCKERFILE.parent / "install.sh").read_text())
    assert {*copied.split(), "locks", "deploy"} == set(kept)
    assert all((ROOT / name).exists() for name in kept)
