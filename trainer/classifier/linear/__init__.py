"""A linear classifier of n-grams, fitted to the train split, that shares its logits with an encoder."""
