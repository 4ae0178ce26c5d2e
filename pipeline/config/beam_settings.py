"""The section of a job's YAML that says which engine runs its Beam pipelines."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from pydantic import Field

from trainer.errors import Problem
from trainer.settings import Settings

_ADDRESS = r"^[^\s/:]+:\d{1,5}$"
_CLUSTER = ("endpoint", "master", "jar", "workers", "image", "parallelism")
_KEYS: Mapping[str, tuple[str, ...]] = {
    "local": (),
    "prism": ("prism",),
    "portable": ("endpoint", "workers", "image"),
    "flink": _CLUSTER,
    "spark": _CLUSTER,
    "dataflow": ("project", "region", "temp_location", "image", "parallelism", "memory_gb"),
}
"""The keys of each engine, besides `options`."""

_REQUIRED: Mapping[str, tuple[str, ...]] = {
    "portable": ("endpoint",),
    "dataflow": ("project", "region", "temp_location", "image"),
}


class BeamSettings(Settings):
    """How Beam runs."""

    engine: Literal["local", "prism", "portable", "flink", "spark", "dataflow"] = Field(
        "local",
        description="local: in this process; prism: Beam's own engine on this machine; portable: any job server.",
    )
    prism: str | None = Field(None, min_length=1, description="Prism's program; null: the one on the PATH.")
    endpoint: str | None = Field(
        None,
        pattern=_ADDRESS,
        description="HOST:PORT of a job server that runs; flink and spark may have a jar instead.",
    )
    master: str | None = Field(
        None,
        min_length=1,
        description="The cluster that a job server from a jar uses: HOST:PORT of Flink, or spark://HOST:PORT.",
    )
    jar: str | None = Field(None, min_length=1, description="File of Beam's job server for flink or spark.")
    workers: str | None = Field(
        None,
        pattern=_ADDRESS,
        description="HOST:PORT of a pool of workers, as the engine reaches it; without it and image: in this process.",
    )
    image: str | None = Field(None, min_length=1, description="Container image of the workers, with seqloom in it.")
    parallelism: int | None = Field(
        None,
        gt=0,
        le=100_000,
        description="flink: parallel steps; spark: worker processes on each node; dataflow: most machines.",
    )
    memory_gb: int | None = Field(None, gt=0, le=100_000, description="dataflow: least memory of a worker in GB.")
    project: str | None = Field(None, min_length=1, description="dataflow: the project that pays.")
    region: str | None = Field(None, min_length=1, description="dataflow: where it runs, for example europe-west1.")
    temp_location: str | None = Field(
        None, pattern=r"^gs://[^/\s]+", description="dataflow: folder for temporary files, gs://BUCKET/FOLDER."
    )
    options: list[str] = Field(
        default_factory=list,
        description="Additional Beam flags, passed on unchanged; the log masks passwords, tokens and keys.",
    )

    @property
    def here(self) -> bool:
        """Whether all work is done in this process, by the engine itself or on its behalf."""
        return self.workers is None and self.image is None

    def problems(self) -> Iterator[Problem]:
        """Yields the keys of this section that are valid alone but not together."""
        yield from super().problems()
        allowed = _KEYS[self.engine]
        for key in type(self).model_fields:
            if key in ("engine", "options", *allowed) or getattr(self, key) is None:
                continue
            engines = " or ".join(engine for engine, keys in _KEYS.items() if key in keys)
            expected = ", ".join((*allowed, "options"))
            what = f"beam.{key} does not apply to engine {self.engine}."
            yield Problem((key,), what, str(getattr(self, key)), expected, f"remove it, or set engine: {engines}")
        for key in _REQUIRED.get(self.engine, ()):
            if getattr(self, key) is None:
                yield Problem(("engine",), f"Engine {self.engine} needs beam.{key}.", "none", fix=f"add {key}")
        if self.engine in ("flink", "spark"):
            yield from self._server_problems()
        if self.workers is not None and self.image is not None and {"workers", "image"} <= {*allowed}:
            fix = "remove one of them"
            yield Problem(("image",), "beam.workers and beam.image exclude each other.", self.image, fix=fix)

    def _server_problems(self) -> Iterator[Problem]:
        given = [key for key in ("endpoint", "master", "jar") if getattr(self, key) is not None]
        if given not in (["endpoint"], ["master", "jar"]):
            what = f"Engine {self.engine} has no complete job server."
            found = ", ".join(given) or "none of them"
            yield Problem(("engine",), what, found, "endpoint alone, or master and jar")
