"""Benchmarks of seqloom and of its peers."""
