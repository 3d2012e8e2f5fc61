"""Every setting with where it stands, also those that cannot be used: what ``kioku config`` shows.

Nothing is judged here: ``sources`` finds, ``checks`` says what is wrong, this puts both together.
The values of variables that kioku does not read are not repeated: who knows what is in them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from kioku.config.sources import ENVIRONMENT_PREFIXES, collect, variables_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from kioku.config.checks import Fault, Value
    from kioku.config.mesh import Decided
    from kioku.config.sources import Collected

# The predecessor's, without a prefix of ours.
_FOREIGN: Final = ("ZENOH_CONNECT", "ZENOH_BACKEND_ROCKSDB_ROOT")
_ASIDE: Final = ("KIOKU_DEBUG",)  # read, but no setting: it shows where an error came from
_ORDER: Final = (
    "space",
    "project",
    "detect_project",
    "agent_family",
    "client_id",
    "pc_id",
    "session_id",
    "durability",
    "secrets",
    "mode",
    "state_dir",
    "config_path",
)


class Line(NamedTuple):
    """A setting, or something that was meant as one; ``problem`` says what is wrong with it.

    ``is_idle`` is of a variable that changes nothing, which stops no command.
    """

    name: str
    value: Value
    source: str
    problem: str = ""
    is_idle: bool = False


def explain(environ: Mapping[str, str]) -> list[Line]:
    """Give every setting, then what is wrong beside them, then variables that change nothing."""
    collected = collect(environ, {})
    found = collected.found
    of_mesh = _of_mesh(collected)
    faults = [*collected.faults, *(of_mesh.faults if of_mesh else [])]
    problems = {(fault.name, fault.source): fault for fault in faults}
    lines = []
    for name in _ORDER:
        value, source = found[name]
        fault = problems.pop((name, source), None)
        if fault is not None:
            lines.append(Line(name, fault.value, source, fault.message))
        else:
            lines.append(Line(name, value, source))
    lines += _mesh_lines(of_mesh, problems) if of_mesh else []
    lines += [Line(f.name, f.value, f.source, f.message) for f in problems.values()]
    return [*lines, *_idle(environ, {line.source for line in lines})]


def _of_mesh(collected: Collected) -> Decided | None:
    """How this machine takes part in the mesh; None if nothing says that it does."""
    if collected.found["mode"].value == "local" and not collected.tables:
        return None
    from kioku.config.mesh import decide

    return decide(collected)


def _mesh_lines(decided: Decided, problems: dict[tuple[str, str], Fault]) -> Iterator[Line]:
    """Give what ``[mesh]`` says; of ``[zenoh]`` the names alone, for a value may be a password."""
    config = decided.config
    values: dict[str, Value] = {
        "listen": ", ".join(config.listen),
        "connect": ", ".join(config.connect),
        "spaces": ", ".join(config.spaces),
        "machine": config.machine,
        "insecure": config.is_insecure,
    }
    for name, value in values.items():
        source = config.sources[name]
        fault = problems.pop((f"mesh.{name}", source), None)
        if fault is not None:
            yield Line(f"mesh.{name}", fault.value, source, fault.message)
        else:
            yield Line(f"mesh.{name}", value, source)
    if config.zenoh:
        yield Line("zenoh", ", ".join(sorted(config.zenoh)), f"config file {decided.path}")


def _idle(environ: Mapping[str, str], sources: set[str]) -> Iterator[Line]:
    """Give the variables that look like ours and change nothing."""
    read = [variables_of(name) for name in _ORDER]
    for name in sorted(environ):
        is_ours = name.startswith(ENVIRONMENT_PREFIXES) or name in _FOREIGN
        if is_ours and environ[name] and name not in _ASIDE:
            stronger = next((names[0] for names in read if name in names), None)
            source = f"environment {name}"
            if stronger is None:
                yield Line(
                    name, "", source, f"{source}: kioku does not read it; unset it", is_idle=True
                )
            elif source not in sources:
                yield Line(
                    name,
                    "",
                    source,
                    f"{source}: another of its names comes before it",
                    is_idle=True,
                )
