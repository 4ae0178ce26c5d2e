"""What pods need to know of a job: the image, the volume of the root, the requests of a component."""

from __future__ import annotations

import re
from typing import NamedTuple

from pipeline.config.sections import ResourceSettings
from trainer.errors import JobError

_IMAGE = re.compile(r"[^\s@]+@sha256:[0-9a-f]{64}")

GPU = "nvidia.com/gpu"
"""What Kubernetes calls a GPU."""


class KubernetesPlace(NamedTuple):
    """Where the containers find the code and the root.

    Attributes:
        image: A container image with its digest.
        claim: The claim of the volume that holds the root.
        root: The path of the root, where the volume is mounted.
    """

    image: str
    claim: str
    root: str


def checked_image(image: str | None) -> str:
    """Returns a container image with a digest, so that all steps of a run have the same code.

    Raises:
        JobError: If there is none.
    """
    if image is None or not _IMAGE.fullmatch(image):
        raise JobError(
            "The image has no digest." if image else "A pipeline of Kubeflow needs an image.",
            where="--image",
            found=image,
            expected="registry/name@sha256:<64 hexadecimal digits>, so that all steps of a run have the same code",
        )
    return image


def kubernetes_name(job: str) -> str:
    """Returns the name of what belongs to a job, as Kubernetes allows it."""
    return f"seqloom-{job.replace('_', '-')}".rstrip("-")


def requests(needs: ResourceSettings) -> dict[str, str]:
    """Returns the cores and the memory that a component requests, as quantities of Kubernetes."""
    found = {}
    if needs.cpu is not None:
        found["cpu"] = f"{needs.cpu:g}"
    if needs.memory is not None:
        found["memory"] = f"{mebibytes(needs.memory)}Mi"
    return found


def mebibytes(gibibytes: float) -> int:
    """Returns a size in MiB."""
    return round(gibibytes * 1024)
