"""Choosing integrations, and the fields of one that options give."""
