"""A linear chain of tags over spellings, fitted to the train split, that shares its scores with an encoder."""
