"""What is measured, and how time is taken."""
