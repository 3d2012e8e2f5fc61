"""Sabotages of sessions, engines, stores and receipts that whole meshes must show."""

from __future__ import annotations

from tests.sabotage.change import Change

BODIES = "kioku/transport/bodies.py"
COMPARE = "kioku/transport/compare.py"
COMPARING = "kioku/node/comparing.py"
ENGINE = "kioku/node/engine.py"
EXCHANGING = "kioku/exchanging.py"
FORKS = "kioku/node/forks.py"
LOOKUP = "kioku/log/lookup.py"
OWNER = "kioku/log/owner.py"
PEERS = "kioku/log/peers.py"
RECEIPTS = "kioku/node/receipts.py"
SESSION = "kioku/transport/session.py"
TRANSACTION = "kioku/transaction.py"

SCENARIOS = "tests/simulation/test_scenarios.py"
WORLDS = "tests/simulation/test_simulation.py"
BOTH = f"{SCENARIOS} {WORLDS}"

SIMULATION_GROUPS: dict[str, list[Change]] = {
    "simulation": [
        Change(
            "the logs that differ are gone through in a set's order",
            COMPARE,
            "in sorted(theirs.keys() | ours.keys()):",
            "in theirs.keys() | ours.keys():",
            WORLDS,
        ),
        Change(
            "a closed log's unsealed tail counts as held",
            LOOKUP,
            "{_PLACE} AND (e.seq <= b.sealed_seq OR EXISTS(",
            "{_PLACE} AND (e.seq > 0 OR EXISTS(",
            SCENARIOS,
        ),
        Change(
            "no missing body is asked for",
            BODIES,
            "        events = holdings.missing(limits.missing_max)\n",
            "        events = holdings.missing(0)\n",
            SCENARIOS,
        ),
        Change(
            "a body that came late is not shown",
            EXCHANGING,
            "self._core.fold.reveal(supplied)",
            "self._core.fold.reveal([])",
            SCENARIOS,
        ),
        Change(
            "what a peer offers is never fetched",
            COMPARING,
            "        if not (peer.is_hinted or self._may_offer(peer)):\n",
            "        if True:\n",
            BOTH,
        ),
        Change(
            "no beacon shows that a log is written by two",
            FORKS,
            "        return not is_ours",
            "        return False",
            SCENARIOS,
        ),
        Change(
            "a peer that has not erased yet confirms all the same",
            RECEIPTS,
            "peer.address.log_id, peer.digest, is_erased=peer.is_erased\n",
            "peer.address.log_id, peer.digest, is_erased=True\n",
            SCENARIOS,
        ),
        Change(
            "what a peer lacks takes no receipt back",
            RECEIPTS,
            "differing=outcome.differing",
            "differing=()",
            BOTH,
        ),
        Change(
            "a copy never waits for its original",
            PEERS,
            'JOIN log USING(log) WHERE log_id = ? AND closed_seq IS NULL"\n',
            'JOIN log USING(log) WHERE log_id = ?"\n',
            SCENARIOS,
        ),
        Change(
            "a peer may have been met in the future",
            PEERS,
            "        self._connection.execute(_MET_NOW, (seen.now_ms, seen.now_ms))\n",
            "",
            SCENARIOS,
        ),
        Change(
            "what is appended is not sealed for others",
            ENGINE,
            "        site.replica.seal()\n",
            "",
            BOTH,
        ),
        Change(
            "the tail of a log that was closed is not said again",
            OWNER,
            " else self._tail(own, is_retracted)\n",
            " else []\n",
            SCENARIOS,
        ),
        Change(
            "our log stays open though another writes it",
            TRANSACTION,
            "        if has_new or chunk.last.seq > own.branch.sealed_seq:\n",
            "        if False:\n",
            SCENARIOS,
        ),
    ],
}
