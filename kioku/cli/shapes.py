"""The pieces that schemas are built of: each is JSON Schema, and says what it means."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def text(meaning: str, **more: Any) -> Schema:
    """A string, and what it says."""
    return {"type": "string", "description": meaning, **more}


def word(meaning: str, *values: str) -> Schema:
    """One of some known words."""
    return {"enum": list(values), "description": meaning}


def number(meaning: str, minimum: int = 0, **more: Any) -> Schema:
    """A whole number; a count unless it is told otherwise."""
    return {"type": "integer", "minimum": minimum, "description": meaning, **more}


def yes_or_no(meaning: str, **more: Any) -> Schema:
    """A boolean."""
    return {"type": "boolean", "description": meaning, **more}


def digits(meaning: str, count: int = 32) -> Schema:
    """So many hex digits, in lower case."""
    return {"type": "string", "pattern": f"^[0-9a-f]{{{count}}}$", "description": meaning}


def moment(meaning: str, *, or_null: bool = False) -> Schema:
    """A time in UTC, to the millisecond."""
    return {
        "type": ["string", "null"] if or_null else "string",
        "format": "date-time",
        "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00$",
        "description": meaning,
    }


def listed(items: Schema, meaning: str = "") -> Schema:
    """A list, maybe empty."""
    described = {"description": meaning} if meaning else {}
    return {"type": "array", "items": items, **described}


def counts(meaning: str) -> Schema:
    """An object whose names are data and whose values are counts."""
    values = {"type": "integer", "minimum": 0}
    return {"type": "object", "additionalProperties": values, "description": meaning}


def record(fields: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    """An object with these fields and no others; all are there unless ``optional``."""
    return {
        "type": "object",
        "properties": fields,
        "required": [name for name in fields if name not in optional],
        "additionalProperties": False,
    }


def shared(name: str) -> Schema:
    """A reference to one of the shapes that several verbs print."""
    return {"$ref": f"#/$defs/{name}"}
