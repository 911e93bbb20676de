"""Writers: what a session holds becomes a file."""
