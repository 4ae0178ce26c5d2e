"""Writes the YAML of a first job for a corpus that nobody has described yet."""
