"""A simulation of larger installations, fed with measured service times."""
