"""Windows in a file: its schema, when they occur, and starting those that are due."""
