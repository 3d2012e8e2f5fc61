"""Is the view what the events add up to? Asked by building it again, beside the one that is there.

The other one is built in memory from every event that is shown, by the code that builds any view,
and the two are compared row by row and word by word. Nothing is changed.
"""

from __future__ import annotations

from itertools import islice, zip_longest
from typing import TYPE_CHECKING, Any, Final

import apsw

from kioku.crdt.standing import SHOWN_WHILE_HELD, Change, Shown
from kioku.view.schema import ObservationView

if TYPE_CHECKING:
    from collections.abc import Iterator

_BATCH: Final = 2_000

_SHOWN: Final = f"""
    SELECT e.key, e.event, l.log_id, e.seq, e.hlc, e.hash, e.body, v.wins = {SHOWN_WHILE_HELD}
    FROM version v JOIN event e ON e.event = v.event
    JOIN branch b ON b.branch = e.branch JOIN log l ON l.log = b.log
    WHERE v.wins > 0 AND e.kind = 1 AND e.body IS NOT NULL ORDER BY e.event"""

_UNINDEXED: Final = """
    SELECT (SELECT count(*) FROM version v JOIN event e ON e.event = v.event
        WHERE v.wins > 0 AND e.kind = 1 AND e.body IS NOT NULL)
    - (SELECT count(*) FROM record) - (SELECT count(*) FROM unreadable)"""

_ROWS: Final = {
    "record": "SELECT * FROM record ORDER BY event",
    "unreadable": "SELECT * FROM unreadable ORDER BY event",
    "superseded": "SELECT * FROM superseded ORDER BY key, by_event",
    # Where each word stands in each text, in a sum a word.
    "word": """SELECT term, count(*), sum((doc * 31 + offset) % 1000003) FROM temp.word
        GROUP BY term ORDER BY term""",
}


def count_unreadable(connection: apsw.Connection) -> int:
    """Count what would be shown, but is in a form that this kioku cannot read."""
    return int(connection.execute("SELECT count(*) FROM unreadable").get)


def count_unindexed(connection: apsw.Connection) -> int:
    """Count how many more observations the fold shows than the view has; below 0 if it has more.

    Cost: a look at each key, 50 ms at 100,000.
    """
    return int(connection.execute(_UNINDEXED).get)


def find_differences(connection: apsw.Connection) -> Iterator[str]:
    """Say in which tables the view differs from one that is built from the events now.

    Cost: that of a rebuild, in time and, for as long as it takes, in memory.
    """
    fresh = _built_from(connection)
    try:
        for each in (connection, fresh):
            each.execute("DROP TABLE IF EXISTS temp.word")
            each.execute(
                "CREATE VIRTUAL TABLE temp.word USING fts5vocab('main', record_text, instance)"
            )
        for name, query in _ROWS.items():
            pairs: Any = zip_longest(connection.execute(query), fresh.execute(query))
            count = sum(row != expected for row, expected in pairs)
            if count:
                yield f"{name}: {count:,} rows differ from what the events give"
        connection.execute("DROP TABLE temp.word")
    finally:
        fresh.close()


def _built_from(connection: apsw.Connection) -> apsw.Connection:
    """Build a view in memory from every event that is shown."""
    fresh = apsw.Connection(":memory:")
    view = ObservationView()
    view.create(fresh)
    rows: Any = connection.execute(_SHOWN)
    with fresh:
        while batch := [
            Change(row[0], None, Shown._make((*row[1:7], bool(row[7]))))
            for row in islice(rows, _BATCH)
        ]:
            view.apply(fresh, batch)
    return fresh
