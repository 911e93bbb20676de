"""Reads: pages, searches and figures, straight from the tables into values."""
