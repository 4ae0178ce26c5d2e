"""Cores, memory, disk and graphics cards, within the limits of a container."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import psutil
import pytest
from packaging.requirements import Requirement

from pipeline.diagnosis.hardware import cores, cudnn, disk, graphics, graphics_cards, memory


def test_the_limit_of_a_container_on_cores_is_named(tmp_path: Path) -> None:
    count = len(os.sched_getaffinity(0))
    assert cores(tmp_path / "none") == ("Cores", "ok", str(count), None)
    for text in ("max 100000\n", f"{count * 100000} 100000\n"):
        (tmp_path / "cpu.max").write_text(text)
        assert cores(tmp_path).state == "ok"
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    assert cores(tmp_path)[1:3] == ("warning", f"{count}, of which the container may use 0.5")


def test_little_memory_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("max\n")
    assert memory(tmp_path).found.endswith(f" of {psutil.virtual_memory().total / 1e9:.1f} GB available")
    (tmp_path / "memory.max").write_text("1500000000\n")
    assert memory(tmp_path)[1:3] == ("warning", "1.5 of 1.5 GB available")


def test_the_disk_is_that_of_the_nearest_folder_and_has_to_hold_the_examples(tmp_path: Path) -> None:
    root = tmp_path / "new" / "root"
    free = shutil.disk_usage(tmp_path).free
    found = disk(root, free * 2)
    assert found.state == "missing"
    assert found.found.endswith(f" GB free at {tmp_path}")
    assert str(found.remedy).endswith(f"need about {free * 2 / 1e9:.1f} GB")
    assert disk(root).state == ("ok" if free >= 1e9 else "warning")
    assert not root.parent.exists()


def smi(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    (folder / "nvidia-smi").write_text(f"#!/bin/sh\n{script}\n")
    (folder / "nvidia-smi").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)


def test_a_machine_without_nvidia_smi_has_no_cards(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    assert graphics_cards() == []
    assert list(graphics([])) == [("GPU", "ok", "none; training runs on the CPU", None)]


def test_cards_are_those_that_nvidia_smi_lists_unless_they_are_hidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = "NVIDIA H200, 143771 MiB, 550.54"
    smi(tmp_path, monkeypatch, f'[ "$2" = --format=csv,noheader ] && echo "{line}" && echo "{line}"')
    assert graphics_cards() == [line, line]
    gpu, *libraries = graphics([line])
    assert gpu == ("GPU", "ok", line, None)
    assert [one.name for one in libraries] == ["cuDNN"]
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert graphics_cards() == []
    (hidden,) = graphics([])
    assert hidden.found == "hidden by CUDA_VISIBLE_DEVICES; training runs on the CPU"


def test_a_driver_that_fails_is_reported_with_its_first_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smi(tmp_path, monkeypatch, "echo Failed to initialize NVML: mismatch; echo more; exit 18")
    with pytest.raises(OSError, match=r"^Failed to initialize NVML: mismatch$"):
        graphics_cards()


def test_cudnn_has_to_be_of_the_version_that_tensorflow_names() -> None:
    found = cudnn(Requirement("nvidia-cudnn-absent==987.1.2"), "2.16.2")
    assert (found.state, found.found) == ("warning", "no libcudnn.so.987, which TensorFlow 2.16.2 uses")
    assert str(found.remedy).startswith('pip install "tensorflow[and-cuda]==2.16.2"')
    psutil_version = Requirement(f"psutil=={psutil.__version__.partition('.')[0]}.*")
    assert cudnn(psutil_version, "2.16.2") == ("cuDNN", "ok", psutil.__version__, None)
