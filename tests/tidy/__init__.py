"""Rules of the repository itself: sizes, layers, exports, documents."""
