"""JSON of other programs: one table of dialects, and the steps that read them all."""
