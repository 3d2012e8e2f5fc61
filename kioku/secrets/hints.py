"""What may be shown of a credential: whose it is by its form, and how long; never a part of it."""

from __future__ import annotations

from kioku.secrets.formats import FORMATS


def hint_of(secret: str) -> str:
    """Give the mark that all credentials of its kind begin with, if any, and its length."""
    marks = [mark for row in FORMATS for mark in row.marks if secret.startswith(mark)]
    begins = max(marks, key=len, default="")
    return f"{begins}… ({len(secret):,} characters)"
