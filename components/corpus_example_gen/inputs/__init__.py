"""Which files a corpus has."""
