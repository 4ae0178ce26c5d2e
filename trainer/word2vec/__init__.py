"""Word vectors: skip-gram and CBOW, their training and what is published of them."""
