"""Small corpora with the defaults, next to simple peers."""
