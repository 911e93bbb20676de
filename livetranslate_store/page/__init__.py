"""A meeting as one HTML page that stands alone: nothing is loaded from anywhere, and it works offline."""
