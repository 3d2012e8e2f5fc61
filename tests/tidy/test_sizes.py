"""The ceilings of the code style: CONTRIBUTING.md says why. Complexity and width are ruff's."""

from __future__ import annotations

import ast

from tests.tidy.repository import FunctionNode, modules

FUNCTION_LINES_MAX = 50
MODULE_LINES_MAX = 400
POSITIONAL_PARAMETERS_MAX = 5


def _positional_count(function: FunctionNode) -> int:
    parameters = [*function.args.posonlyargs, *function.args.args]
    has_receiver = bool(parameters) and parameters[0].arg in {"self", "cls"}
    return len(parameters) - has_receiver


def test_no_module_is_longer_than_its_ceiling() -> None:
    long = {m.path: len(m.lines) for m in modules() if len(m.lines) > MODULE_LINES_MAX}
    assert not long


def test_no_function_is_longer_than_its_ceiling() -> None:
    long = {
        f"{module.path}:{function.lineno} {function.name}": length
        for module in modules()
        for function in module.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert not long


def test_no_function_takes_more_positional_parameters_than_its_ceiling() -> None:
    wide = {
        f"{module.path}:{function.lineno} {function.name}": count
        for module in modules()
        for function in module.functions()
        if (count := _positional_count(function)) > POSITIONAL_PARAMETERS_MAX
    }
    assert not wide


def test_every_module_says_what_it_is_for() -> None:
    assert not [module.path for module in modules() if not ast.get_docstring(module.tree)]


def test_no_module_is_a_drawer_for_odds_and_ends() -> None:
    drawers = {"util", "utils", "helpers", "helper", "common", "manager", "misc"}
    assert not [
        module.path
        for module in modules()
        if drawers & set(module.path.removesuffix(".py").split("/"))
    ]
