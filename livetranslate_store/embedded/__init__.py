"""A private PostgreSQL for laptops, the demo and the tests."""
