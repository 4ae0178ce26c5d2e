"""A CronJob of Kubernetes."""

from __future__ import annotations

import io
from typing import Any

import ruamel.yaml

from pipeline.operate.emission.command import Emission
from pipeline.operate.emission.crontab import five_fields

_ABOUT = """\
# {title}
# The image has seqloom and the job's files; the claim holds the root, whose state says which times have run.
"""


_SHORTEST_DEADLINE = 10
"""Seconds between two looks of Kubernetes at its CronJobs: with less, some would never start."""


def cron_job(emission: Emission) -> str:
    """Returns the YAML of a CronJob (Kubernetes 1.27 or newer)."""
    name = f"seqloom-{emission.name.replace('_', '-')}".rstrip("-")[:52].rstrip("-")
    container = {
        "name": "seqloom",
        "image": "seqloom",
        "command": ["seqloom", *emission.arguments],
        "volumeMounts": [{"name": "root", "mountPath": str(emission.root)}],
    }
    pod = {
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 300,
        "containers": [container],
        "volumes": [{"name": "root", "persistentVolumeClaim": {"claimName": name}}],
    }
    spec: dict[str, Any] = {
        "schedule": five_fields(emission.times, emission.now, "Kubernetes"),
        "timeZone": emission.times.timezone,
        "concurrencyPolicy": "Forbid",
        "startingDeadlineSeconds": _starting_deadline(emission),
        "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}},
    }
    manifest = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": name}, "spec": spec}
    dumper = ruamel.yaml.YAML(typ="safe", pure=True)
    dumper.default_flow_style, dumper.width = False, 100
    dumper.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # ruamel types it as None
    text = io.StringIO(_ABOUT.format(title=emission.title))
    text.seek(0, io.SEEK_END)
    dumper.dump(manifest, text)
    return text.getvalue()


def _starting_deadline(emission: Emission) -> int:
    """Returns the seconds for a late start; after them, the next job catches up by its state."""
    if emission.deadline is not None:
        return max(_SHORTEST_DEADLINE, int(emission.deadline.total_seconds()))
    return 3600 if emission.catches_up else 60
