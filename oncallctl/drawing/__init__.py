"""Timelines: lanes with segments of time, drawn for a terminal and as SVG."""
