"""Tables of word vectors: files, lookup and search."""
