"""The part that talks to the network: engine (one space, no threads), node (threads, the lock)."""
