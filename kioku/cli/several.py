"""``search`` and ``list`` over several spaces: the same answers, each saying where it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.cli import formats, render
from kioku.cli.arguments import filters
from kioku.cli.present import preferred

if TYPE_CHECKING:
    from argparse import Namespace

    from kioku.observation import Observation


def search(arguments: Namespace) -> int:
    """Search all of the named spaces together."""
    from kioku.memory.spaces import open_spaces

    with open_spaces(arguments.spaces) as opened:
        found = opened.search(
            " ".join(arguments.query),
            limit=arguments.limit,
            mode=arguments.search_mode,
            substring=arguments.substring,
            as_of=arguments.as_of,
            explain=arguments.explain,
            prefer_project=preferred(arguments.project),
            **filters(arguments),
        )
    if arguments.json or arguments.format == "json":
        render.json(
            [{**formats.hit_json(one.hit), "score": one.score, "space": one.space} for one in found]
        )
        return 0
    if arguments.format == "markdown":
        texts = (f"{formats.markdown([one.hit.observation])} `space: {one.space}`" for one in found)
        render.block("\n\n".join(texts) or formats.NOTHING_FOUND)
    elif render.is_for_person():
        from kioku.cli import views

        views.show_hits([one.hit for one in found], [one.space for one in found])
    else:
        spaces = [one.space for one in found]
        render.block(formats.hit_entries([one.hit for one in found], spaces))
    return 0


def list_newest(arguments: Namespace) -> int:
    """List the newest of all of the named spaces."""
    from kioku.memory.spaces import open_spaces

    with open_spaces(arguments.spaces) as opened:
        found = opened.list(
            limit=arguments.limit,
            include_deleted=arguments.include_deleted,
            as_of=arguments.as_of,
            **filters(arguments),
        )
    if arguments.json:
        render.json([_json(one.space, one.observation) for one in found])
    elif render.is_for_person():
        from kioku.cli import views

        views.show_entries([one.observation for one in found], [one.space for one in found])
    else:
        _show([(one.space, one.observation) for one in found])
    return 0


def _json(space: str, observation: Observation) -> dict[str, Any]:
    return {**formats.observation_json(observation), "space": space}


def _show(found: list[tuple[str, Observation]]) -> None:
    entries = [f"{formats.entry(observation)} <space={space}>" for space, observation in found]
    render.block(formats.SEPARATOR.join(entries) or formats.NOTHING_FOUND)
