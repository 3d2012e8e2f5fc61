"""What runs in a process of its own: one module a contender, tasks called by name."""
