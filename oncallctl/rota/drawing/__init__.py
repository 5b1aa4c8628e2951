"""Drawings of a rota: for a terminal, and as SVG."""
