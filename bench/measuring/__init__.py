"""Shared by the benchmarks: processes of their own, and tables."""
