"""Shell completion: the generated scripts, and the names that they ask the program for."""
