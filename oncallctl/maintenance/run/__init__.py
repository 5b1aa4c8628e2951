"""Maintenance windows around a command: shared by the runs of one machine, and renewed while the command runs.

docs/architecture-run.md draws the states of an integration in a run.
"""
