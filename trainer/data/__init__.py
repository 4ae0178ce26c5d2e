"""The data contract and the reader of transformed examples."""
