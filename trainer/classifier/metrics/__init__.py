"""The metrics of classifiers, with one label per document or any number of them."""
