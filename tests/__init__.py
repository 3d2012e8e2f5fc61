"""Everything that must be true of kioku; docs/architecture.md says which folder holds what."""
