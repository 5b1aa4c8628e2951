"""The state of the process: signals, core dumps, and the changes sent so far."""
