"""The resources of the API: a module for each, with its model and its collection."""
