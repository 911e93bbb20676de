"""The figures of a run: judged, shown, and written into the documentation."""
