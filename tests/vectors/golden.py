"""The golden files, with their hex digits as bytes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
_TEXTS = {"name"}


def load(name: str) -> Any:
    """Read a golden file; every text in it that is hex stands for bytes."""
    return _as_bytes(json.loads((HERE / name).read_text(encoding="utf-8")))


def _as_bytes(value: Any) -> Any:
    if isinstance(value, str):
        return bytes.fromhex(value)
    if isinstance(value, list):
        return [_as_bytes(item) for item in value]
    if isinstance(value, dict):
        return {name: item if name in _TEXTS else _as_bytes(item) for name, item in value.items()}
    return value
