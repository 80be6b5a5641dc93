"""What one can look up: the pages of the documentation, and an entry for everything that has a name."""
