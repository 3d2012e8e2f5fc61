"""kioku (記憶, memory): a shared, durable memory for coding agents, over a replicated event log."""
