"""All rows of a session, for backup and restore."""
