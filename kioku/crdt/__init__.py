"""What the events add up to: the pure law of merge, and the same law over SQLite."""
