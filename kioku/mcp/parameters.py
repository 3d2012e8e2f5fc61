"""The parameters that several tools share: what each is for, and its limits.

The limits are kioku's own, where it checks them; here they only let a client know before. What is
said of a parameter is read by a model each time it starts, so each word has to be worth it
(docs/adr/0086).
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

from pydantic import Field, WithJsonSchema

from kioku.memory.filters import LIMIT_MAX
from kioku.memory.intake import PREFIX_DIGITS_MIN
from kioku.observation.layout import CONTENT_BYTES_MAX, ITEMS_MAX, TEXT_BYTES_MAX

QUERY_CHARACTERS_MAX: Final = 10_000
"""More than a question has; of a pasted page, the words beyond would not change the answer."""
_TIME_CHARACTERS_MAX: Final = 40
_ID_CHARACTERS_MAX: Final = 40  # 32 digits, and what a model may put around them
TTL_S_MAX: Final = 100 * 366 * 86_400


def _list_schema(description: str = "", **item: Any) -> WithJsonSchema:
    said = {"description": description} if description else {}
    items = {"type": "string", **item}
    return WithJsonSchema({"type": "array", "items": items, "maxItems": ITEMS_MAX, **said})


Text = Annotated[str, Field(max_length=TEXT_BYTES_MAX)]
_Texts = Annotated[list[Text], Field(max_length=ITEMS_MAX)] | None
Name = Annotated[Text, WithJsonSchema({"type": "string"})]
Content = Annotated[str, Field(max_length=CONTENT_BYTES_MAX)]
OptionalContent = Annotated[Content | None, WithJsonSchema({"type": "string"})]
OptionalText = Annotated[Text | None, WithJsonSchema({"type": "string"})]
Query = Annotated[str, Field(max_length=QUERY_CHARACTERS_MAX)]
Id = Annotated[
    str,
    Field(
        min_length=PREFIX_DIGITS_MIN,
        max_length=_ID_CHARACTERS_MAX,
        description="the first 6 digits or more",
    ),
]
Moment = Annotated[str, Field(max_length=_TIME_CHARACTERS_MAX)]
Since = Annotated[
    str, Field(max_length=_TIME_CHARACTERS_MAX, description="ISO time: changed since")
]
Seconds = Annotated[
    Annotated[int, Field(ge=0, le=TTL_S_MAX)], WithJsonSchema({"type": "integer", "minimum": 0})
]
Limit = Annotated[int, Field(ge=1, le=LIMIT_MAX)]
Offset = Annotated[int, Field(ge=0)]
Space = Annotated[Annotated[str, Field(max_length=64)] | None, WithJsonSchema({"type": "string"})]
MemoryType = Literal["note", "decision", "bug", "pattern", "config", "summary"]
Texts = Annotated[_Texts, _list_schema()]
Ids = Annotated[_Texts, _list_schema("ids")]
MemoryTypes = Annotated[
    Annotated[list[MemoryType], Field(max_length=ITEMS_MAX)] | None,
    _list_schema(),
]
WhereProject = Annotated[
    Text,
    WithJsonSchema(
        {"type": "string", "description": '"." is the present one; empty: all, the present first'}
    ),
]
