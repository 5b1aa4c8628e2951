"""The command line: command classes, global options, and the options that commands share."""
