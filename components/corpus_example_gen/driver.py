"""The driver: TFX's, with a fingerprint that sees every change of the corpus."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

from tfx.components.example_gen import driver, input_processor
from tfx.proto import example_gen_pb2, range_config_pb2

from components.corpus_example_gen import files


class CorpusInputProcessor(input_processor.FileBasedInputProcessor):
    """Fingerprints the files that the executor will read.

    TFX's own fingerprint knows neither the files' names, which are the default source of a document, nor
    changes within a second, and its globs differ from Beam's.
    """

    def get_input_fingerprint(self, span: int, version: int | None) -> str:
        """Returns a hash over the files' paths, sizes and times of change."""
        patterns = [self.get_pattern_for_span_version(split.pattern, span, version) for split in self._splits]
        found = [file for pattern in patterns for file in files.match_files(self._full(pattern))]
        return files.fingerprint(found)

    def _full(self, pattern: str) -> str:
        return posixpath.join(self._input_base_uri, pattern)


class CorpusDriver(driver.FileBasedDriver):
    """Resolves span, version and fingerprint before the cache is asked."""

    def get_input_processor(
        self,
        splits: Iterable[example_gen_pb2.Input.Split],
        range_config: range_config_pb2.RangeConfig | None = None,
        input_base_uri: str | None = None,
    ) -> CorpusInputProcessor:
        """Returns the processor that fingerprints through Beam's filesystems."""
        return CorpusInputProcessor(input_base_uri, splits, range_config)
