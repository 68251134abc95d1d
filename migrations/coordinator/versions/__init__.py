"""The coordinator's revisions, oldest first by name."""
