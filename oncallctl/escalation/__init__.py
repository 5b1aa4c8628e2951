"""Pages by hand, and the routes and escalation chains that alerts take."""
