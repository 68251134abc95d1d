"""The shard's revisions, oldest first by name."""
