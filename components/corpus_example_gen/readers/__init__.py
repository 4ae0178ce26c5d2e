"""The formats of a corpus: from files to documents."""
