"""Read replicas: which server answers a read."""
