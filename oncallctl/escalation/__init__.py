"""Paging people by hand, and where alerts go."""
