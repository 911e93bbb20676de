"""Bulk import: many segments at once, in bounded memory."""
