"""Profiles, credentials, settings, and the connection to the server of a profile."""
