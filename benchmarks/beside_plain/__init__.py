"""The store beside a plain schema written by hand: what a user would have instead."""
