"""The document classifier."""
