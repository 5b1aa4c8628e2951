"""One window: what it is, what may be asked for, and the operation that starts, stops or replaces it."""
