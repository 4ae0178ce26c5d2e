"""Word vectors: the training of skip-gram and CBOW, and the published model."""
