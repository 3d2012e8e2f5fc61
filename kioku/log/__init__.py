"""What happened, in order: clock, events, seals, frontiers, and the tables that hold them."""
