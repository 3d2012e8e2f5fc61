"""Every name of a project, for whoever asks by one: what is saved under one is found under all.

Apart from ``naming``, which knows how aliases are kept, since most stores have none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kioku.view.schema import IS_ALIAS

if TYPE_CHECKING:
    from kioku.replica import Reading

_HAS_ALIAS: Final = f"SELECT 1 FROM record WHERE {IS_ALIAS} LIMIT 1"


def all_names(reading: Reading, projects: tuple[str, ...], now_ms: int) -> tuple[str, ...]:
    """Give every name of some projects, those given included. Cost: 20 µs for each alias."""
    if reading.connection.execute(_HAS_ALIAS).get is None:
        return projects
    from kioku.memory.naming import read_names

    names = read_names(reading, now_ms)
    found = (name for project in projects for name in (project, *names.names_of(project)))
    return tuple(dict.fromkeys(found))
