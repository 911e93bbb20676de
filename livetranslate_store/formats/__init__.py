"""Text in, values out: what other programs write, read by the field's own libraries."""
