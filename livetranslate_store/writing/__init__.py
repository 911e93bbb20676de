"""The write path: rows out of inputs, and the statements that apply the rules to them."""
