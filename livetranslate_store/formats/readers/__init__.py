"""Readers: what other programs write becomes cues."""
