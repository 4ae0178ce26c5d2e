"""Finds out how to read a corpus: format, encoding, dialect and columns, from the first megabytes of its files."""
