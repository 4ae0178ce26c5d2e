"""Word vectors: files, lookup and search."""
