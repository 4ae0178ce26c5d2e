"""CorpusValidator: checks raw examples against their schema, the previous examples and the serving logs."""
