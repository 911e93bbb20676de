"""The demo: a live meeting, replayed."""
