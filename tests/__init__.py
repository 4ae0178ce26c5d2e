"""Tests of seqloom."""
