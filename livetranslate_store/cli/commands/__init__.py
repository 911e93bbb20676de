"""The commands, one subject per file; each is a thin shell around the library."""
