"""Results on stdout, notes and prompts on stderr: tables, pictures, live lists."""
