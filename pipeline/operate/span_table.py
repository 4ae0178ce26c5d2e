"""The table of a backfill."""

from __future__ import annotations

from collections.abc import Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

from pipeline.console.printing import plain
from pipeline.operate.backfilling import SpanRow
from pipeline.operate.corpus_spans import CorpusSpans


def span_table(rows: Sequence[SpanRow], spans: CorpusSpans) -> Table:
    """Returns a table of spans with their states, the exit codes of their last runs, and when these ended."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("span", "state", "last run", "exit code"):
        table.add_column(heading, no_wrap=True, justify="right" if heading == "exit code" else "left")
    for row in rows:
        record = row.record
        ended = "" if record is None else f"{record.finished.astimezone():%Y-%m-%d %H:%M:%S}"
        code = "" if record is None else str(record.code)
        table.add_row(plain(spans.name(row.span)), plain(row.state.value, row.state.style), ended, code)
    return table
