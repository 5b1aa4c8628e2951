"""Windows: the model, guard rails, and the operation that starts, stops or replaces one."""
