"""The people on call: now, at other times, and the shifts of schedules."""
