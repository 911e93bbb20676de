"""Connections, their pool, and what their failures mean."""
