"""What the store costs beside the same written by hand: `python -m benchmarks`, or `make bench`."""
