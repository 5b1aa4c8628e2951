"""The contents of the cards of each kind of object."""
