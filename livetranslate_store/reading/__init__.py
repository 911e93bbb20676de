"""The read path: the timeline, straight from the tables into values."""
