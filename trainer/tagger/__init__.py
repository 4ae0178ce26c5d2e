"""The tagger of tokens."""
