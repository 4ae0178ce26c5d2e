"""The input files of a corpus."""
