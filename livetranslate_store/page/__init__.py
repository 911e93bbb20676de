"""A meeting as one HTML page, complete in itself: it loads nothing and works offline."""
