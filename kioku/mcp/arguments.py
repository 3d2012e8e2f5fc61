"""From a function's parameters to an input schema, and from what was sent to a call.

pydantic, which the SDK brings, does the work; what is added is that an error says in one line which
argument is wrong, what it may be, and what to do, since a model reads it. ``null`` counts as not
given, and a list may come as its JSON text, as models are known to send both.
"""

from __future__ import annotations

import inspect
import json
from typing import TYPE_CHECKING, Any, Final, get_args, get_type_hints

from pydantic import ConfigDict, ValidationError, create_model

from kioku.errors import InvalidArgumentError
from kioku.mcp.results import as_sent, schema_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import BaseModel

    from kioku.mcp.table import Tool

_FAULTS_SHOWN_MAX: Final = 3
_VALUE_SHOWN_MAX: Final = 60  # characters of what was sent
_VALUE_READ_MAX: Final = 1_000
_NAMES_SHOWN_MAX: Final = 3


class Shape:
    """What a tool takes and gives, as schemas, and the ways between JSON and Python."""

    def __init__(self, tool: Tool) -> None:
        """Read the signature of a tool's function.

        Cost: about a millisecond, for pydantic builds its validators.
        """
        hints = get_type_hints(tool.function, localns={"Desk": object}, include_extras=True)
        parameters = list(inspect.signature(tool.function).parameters.values())[1:]  # less the desk
        fields: dict[str, Any] = {
            parameter.name: (hints[parameter.name], _default_of(parameter))
            for parameter in parameters
        }
        self._tool = tool
        self._model: type[BaseModel] = create_model(
            tool.name, __config__=ConfigDict(extra="forbid"), **fields
        )
        properties = self._model.model_json_schema()["properties"] if fields else {}
        self._lists = {name for name, schema in properties.items() if _takes_list(schema)}
        self._numbers = {name for name, schema in properties.items() if _takes_number(schema)}
        self._output = get_args(hints["return"])[0]

    def input_schema(self) -> dict[str, Any]:
        """The JSON schema of the arguments."""
        schema: dict[str, Any] = _plain(self._model.model_json_schema())
        schema.pop("additionalProperties", None)  # an error of ours says more than a client's
        return schema

    def output_schema(self) -> dict[str, Any]:
        """The JSON schema of what the result holds."""
        return schema_of(self._output)

    def arguments(self, sent: Mapping[str, Any]) -> dict[str, Any]:
        """Give what the function is to be called with.

        Raises:
            InvalidArgumentError: it names each argument that is wrong, and how.
        """
        known = self._model.model_fields
        unknown = [name for name in sent if name not in known and name not in self._tool.left_out]
        for name in unknown:
            if name in self._tool.refused:
                raise InvalidArgumentError(f"{name}: {self._tool.refused[name]}")
        if unknown:
            shown = ", ".join(_shown(name) for name in unknown[:_NAMES_SHOWN_MAX])
            raise InvalidArgumentError(
                f"{self._tool.name} takes no {shown}; it takes {', '.join(known) or 'nothing'}"
            )
        for name in self._numbers & sent.keys():
            if isinstance(sent[name], bool):  # which Python, but nobody else, takes for 0 and 1
                raise InvalidArgumentError(
                    f"{self._tool.name}: {name}: give a whole number (got {sent[name]});"
                    " correct it and call again"
                )
        given = {
            name: _listed(value) if name in self._lists else value
            for name, value in sent.items()
            if value is not None and name in known
        }
        try:
            checked = self._model.model_validate(given)
        except ValidationError as error:
            raise InvalidArgumentError(self._faults(error)) from error
        return {name: getattr(checked, name) for name in known}

    def structured(self, value: Any) -> dict[str, Any]:
        """Give a result as JSON has it; what is as its default says is left out."""
        sent: dict[str, Any] = as_sent(value)
        return sent

    def _faults(self, error: ValidationError) -> str:
        found = error.errors(include_url=False)
        lines = [
            f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}"
            + ("" if fault["type"] == "missing" else f" (got {_shown(fault['input'])})")
            for fault in found[:_FAULTS_SHOWN_MAX]
        ]
        more = len(found) - len(lines)
        rest = f"; and {more} more" if more > 0 else ""
        return f"{self._tool.name}: {'; '.join(lines)}{rest}; correct it and call again"


def _default_of(parameter: inspect.Parameter) -> Any:
    return ... if parameter.default is inspect.Parameter.empty else parameter.default


def _listed(value: Any) -> Any:
    """What may be a list that was sent as its JSON text."""
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value)
    except (ValueError, RecursionError):
        return value
    return found if isinstance(found, list) else value


def _takes_list(schema: Mapping[str, Any]) -> bool:
    """Whether a list is the only thing but ``null`` that a parameter takes."""
    kinds = {kind.get("type") for kind in schema.get("anyOf", [schema])}
    return kinds - {"null"} == {"array"}


def _takes_number(schema: Mapping[str, Any]) -> bool:
    return any(kind.get("type") == "integer" for kind in schema.get("anyOf", [schema]))


def _shown(value: Any) -> str:
    from kioku.secrets.screening import redacted

    shown = redacted(ascii(value)[:_VALUE_READ_MAX])
    return shown if len(shown) <= _VALUE_SHOWN_MAX else shown[:_VALUE_SHOWN_MAX] + "…"


def _plain(schema: Any) -> Any:
    """A schema without what pydantic makes of names, and without defaults that are none.

    They say nothing to a model, and each connection pays for their bytes.
    """
    if isinstance(schema, dict):
        return {
            key: _plain(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str)) and (key, value) != ("default", None)
        }
    return [_plain(item) for item in schema] if isinstance(schema, list) else schema
