"""What is not shown, in SQL over ``record r`` at ``:now``: the rule that every reader shares.

An observation leaves what is found while another one that is visible supersedes it and is the
greater, so cycles hide nothing and arrival order does not count.
"""

from __future__ import annotations

from typing import Final

NOT_EXPIRED: Final = "({0}.expires_ms IS NULL OR {0}.expires_ms > :now)"
_RANK_OF = """(SELECT l.log_id, e.seq, e.hash FROM event e JOIN branch b ON b.branch = e.branch
    JOIN log l ON l.log = b.log WHERE e.event = {}.event)"""
# A held observation is shown but wins nothing yet, so it hides nothing yet.
SUPERSEDERS: Final = f"""
    FROM superseded s JOIN record n ON n.event = s.by_event
    WHERE s.key = r.key AND NOT n.held AND {NOT_EXPIRED.format("n")}
    AND (n.hlc > r.hlc OR n.hlc = r.hlc AND {_RANK_OF.format("n")} > {_RANK_OF.format("r")})"""
NOT_SUPERSEDED: Final = f"NOT EXISTS (SELECT 1 {SUPERSEDERS})"
