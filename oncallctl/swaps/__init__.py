"""Shift swaps: one user covers for another. They are the only way to change who is on call through the API."""
