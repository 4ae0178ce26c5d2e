"""The formats of a corpus; a new one is a reader and a line here."""

from __future__ import annotations

from components.corpus_example_gen.csv_reader import read_csv
from components.corpus_example_gen.jsonl_reader import read_jsonl
from components.corpus_example_gen.records import Reader

READERS: dict[str, Reader] = {"csv": read_csv, "jsonl": read_jsonl}
