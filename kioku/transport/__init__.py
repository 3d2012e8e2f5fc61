"""How replicas meet: messages, the session that compares and catches up, and the link below it."""
