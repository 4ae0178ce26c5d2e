"""Curated TensorFlow Metadata schemas, one per kind of corpus, and their loader."""
