"""Budgets, measured side by side with floors and peers; bench/README.md says how to read them."""
