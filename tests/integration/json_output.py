"""Holds what a command printed as JSON to its documented schema.

Every command that the integration tests run with ``--json`` passes through here, so that a field
nobody described makes whichever test sees it fail.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from kioku.cli import schemas


@cache
def validator(verb: str) -> Draft202012Validator:
    """What judges the output of one verb."""
    return Draft202012Validator(schemas.schema(verb))


def documents(verb: str, out: str) -> list[Any]:
    """The JSON documents that a verb printed: one, or one a line."""
    texts = out.splitlines() if verb in schemas.LINES else [out]
    return [json.loads(text) for text in texts]


def assert_documented(verb: str, out: str) -> None:
    """Demand that ``out`` is what the verb's schema says."""
    for document in documents(verb, out):
        problems = [
            f"{error.json_path}: {error.message}" for error in validator(verb).iter_errors(document)
        ]
        assert not problems, (verb, problems, document)


def prints_json(arguments: tuple[str, ...]) -> bool:
    """Whether a command's standard output is what its verb's schema describes."""
    typed = arguments[: arguments.index("--")] if "--" in arguments else arguments
    if "--json" not in typed or "--help" in typed:
        return False
    return not (typed[0] == "export" and "-" in typed)  # there it is the export itself
