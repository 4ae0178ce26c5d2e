"""Turns corpora into splits of raw `tf.SequenceExample` records, with a quarantine for bad records.

Formats: plain text, CSV, TSV, JSON lines, JSON arrays, Parquet, CoNLL columns, and TFRecord files of `tf.Example` or
`tf.SequenceExample`.
"""
