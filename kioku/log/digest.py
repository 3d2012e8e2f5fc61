"""BLAKE2b, as ``hashlib`` has it, without the OpenSSL that ``hashlib`` loads (docs/adr/0067)."""

from __future__ import annotations

__all__ = ["blake2b"]

try:
    from _blake2 import blake2b
except ImportError:  # an interpreter that keeps it elsewhere
    from hashlib import blake2b
