"""Search over transcripts and translations."""
