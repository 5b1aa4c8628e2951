"""The process itself: signals, core dumps, and the changes it has sent."""
