"""A day of meetings in some minutes, against limits."""
