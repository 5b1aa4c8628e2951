"""A command under maintenance: its windows, shared by the runs of one machine and renewed while it runs."""
