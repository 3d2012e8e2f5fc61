"""One-line sabotages of what a lapse must not cost: each was once a hole that a review found."""

from __future__ import annotations

from tests.sabotage.change import Change

LAPSE_TESTS = "tests/unit/node/test_node_lapses.py"
EXCHANGING_TESTS = "tests/unit/test_exchanging.py"
COMPARING = "kioku/node/comparing.py"
ENGINE = "kioku/node/engine.py"
PEERS = "kioku/node/peers.py"

LAPSE_GROUPS: dict[str, list[Change]] = {
    "lapses": [
        Change(
            "what a comparison says of receipts is lost with a busy store",
            COMPARING,
            "                running.peer.must_by(now_ms + self._site.jitter(STORE_AGAIN_MS))\n",
            "                pass\n",
            LAPSE_TESTS,
        ),
        Change(
            "a store that fails keeps a peer that is new from being compared with",
            ENGINE,
            "        if is_new:  # said once",
            "        self._receipts.heard(peer)\n        if is_new:  # said once",
            LAPSE_TESTS,
        ),
        Change(
            "what calls for a session during one is taken for met",
            COMPARING,
            "        peer.wanted_ms = None\n        told",
            "        peer.must_ms = peer.wanted_ms = None\n        told",
            LAPSE_TESTS,
        ),
        Change(
            "a peer that was forgotten confirms nothing while nothing changes",
            "kioku/node/receipts.py",
            "            if is_written:\n",
            "            if False:\n",
            LAPSE_TESTS,
        ),
        Change(
            "hubs that answer nothing come first all the same",
            PEERS,
            "        if self.had_turn or self.failures:\n",
            "        if self.had_turn:\n",
            LAPSE_TESTS,
        ),
        Change(
            "a hub that had its turn comes first again",
            PEERS,
            "        if self.had_turn or self.failures:\n",
            "        if self.failures:\n",
            LAPSE_TESTS,
        ),
        Change(
            "who never answered keeps others out of the table",
            PEERS,
            "        if not (silent or vain):\n",
            "        if not silent:\n",
            LAPSE_TESTS,
        ),
        Change(
            "anybody's word sets a clock",
            ENGINE,
            "        is_known = peer.compared_ms is not None",
            "        is_known = True",
            LAPSE_TESTS,
        ),
        Change(
            "an end of our log that we do not hold is our echo if its nonce is",
            "kioku/node/forks.py",
            " and self._site.replica.holds(tip)\n",
            "\n",
            LAPSE_TESTS,
        ),
        Change(
            "what a peer sent binds a store to no space",
            "kioku/replica.py",
            "                if space_id is not None:\n",
            "                if False:\n",
            EXCHANGING_TESTS,
        ),
        Change(
            "what was sent in another space is taken",
            "kioku/meeting.py",
            '        if read_meta(connection, "space_id") != space_id:\n',
            "        if False:\n",
            EXCHANGING_TESTS,
        ),
        Change(
            "questions longer than any can be wait with the others",
            "kioku/node/answers.py",
            "        if len(query.data) > QUERY_BYTES_MAX:\n",
            "        if False:\n",
            "tests/unit/node/test_node_hostility.py",
        ),
        Change(
            "what was refused hides what did not come",
            "kioku/transport/session.py",
            "for p in self._pulls or () if p.refusals)",
            "for p in self._pulls or ())",
            "tests/unit/transport/test_session_outcome.py",
        ),
        Change(
            "a peer that states less than before is believed to have it still",
            "kioku/node/site.py",
            "had[digest] < had[than]",
            "False",
            LAPSE_TESTS,
        ),
        Change(
            "an unsealed tail that erases nothing keeps receipts from a copy's events",
            "kioku/log/peers.py",
            " AND e.seq > b.sealed_seq AND e.kind IN (3, 5)\n    GROUP BY",
            " AND e.seq > b.sealed_seq\n    GROUP BY",
            "tests/unit/node/test_node_receipts.py",
        ),
        Change(
            "what erases and is not sealed is confirmed",
            "kioku/log/peers.py",
            " AND e.seq > b.sealed_seq AND e.kind IN (3, 5)\n    GROUP BY",
            " AND e.seq > b.sealed_seq AND e.kind IN (7)\n    GROUP BY",
            "tests/unit/test_receipts.py",
        ),
        Change(
            "the private space can be offered",
            "kioku/node/joining.py",
            "                if name != PRIVATE_SPACE:\n",
            "                if True:\n",
            "tests/unit/test_node_joining.py",
        ),
    ],
}
