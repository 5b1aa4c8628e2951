"""Profiles, credentials, settings, and the connection to the server that a profile names."""
