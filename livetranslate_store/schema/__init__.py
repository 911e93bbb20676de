"""The schema: migrations from the package, roles and privileges."""
