"""A soak: bots in live meetings against limits that must hold."""
