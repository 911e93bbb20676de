"""A data layer for live meeting translation: one unit of work, one timeline, PostgreSQL underneath."""
