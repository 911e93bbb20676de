"""A meeting in figures."""
