"""Deletes what no run needs any more, for `seqloom gc`."""
