"""One-line sabotages of what an exchange asks of a store, and of receipts."""

from __future__ import annotations

from tests.sabotage.change import Change

PREFIX = "kioku/log/prefix.py"
LOOKUP = "kioku/log/lookup.py"
RECEIPT = "kioku/log/receipt.py"
PEERS = "kioku/log/peers.py"
EXCHANGING = "kioku/exchanging.py"
MEETING = "kioku/meeting.py"
HOLDINGS = "kioku/node/holdings.py"

PREFIX_TESTS = "tests/property/test_prefix.py"
HOLDINGS_TESTS = "tests/property/test_holdings.py"
LEVEL_TESTS = "tests/unit/test_node_holdings.py"
EXCHANGING_TESTS = "tests/unit/test_exchanging.py"
PRIVATE_TESTS = "tests/unit/test_private_spaces.py"
LAW_TESTS = "tests/property/test_receipts.py"
MACHINE_TESTS = "tests/property/test_receipts_machine.py"
RECEIPTS_TESTS = "tests/unit/test_receipts.py"
MEETING_TESTS = "tests/unit/test_meeting.py"

EXCHANGE_GROUPS: dict[str, list[Change]] = {
    "prefix-sums": [
        Change(
            "a sum forgets the tips that a log had before",
            PREFIX,
            "change = sum(map(tip_sum, after)) - sum(map(tip_sum, before))",
            "change = sum(map(tip_sum, after))",
            PREFIX_TESTS,
        ),
        Change(
            "a count forgets the tips that a log had before",
            PREFIX,
            "count = len(after) - len(before)",
            "count = len(after)",
            PREFIX_TESTS,
        ),
        Change(
            "the second digit of a byte is taken for the first",
            PREFIX,
            "return byte & 15 if depth & 1 else byte >> 4",
            "return byte >> 4",
            PREFIX_TESTS,
        ),
        Change(
            "a split leaf keeps its logs beside its children's",
            PREFIX,
            "leaf.children, leaf.logs = built.children, built.logs",
            "leaf.children = built.children",
            PREFIX_TESTS,
        ),
        Change(
            "a leaf that reaches higher than the prefix is told whole",
            PREFIX,
            "            if log_id.hex().startswith(prefix):\n",
            "            if True:\n",
            PREFIX_TESTS,
        ),
        Change(
            "a node is taken for what is under a longer prefix",
            PREFIX,
            "return node, depth == len(prefix)",
            "return node, True",
            PREFIX_TESTS,
        ),
        Change(
            "a sum is its last bytes",
            PREFIX,
            '.to_bytes(32, "big")[:SUM_BYTES]',
            '.to_bytes(32, "big")[SUM_BYTES:]',
            PREFIX_TESTS,
        ),
    ],
    "holdings": [
        Change(
            "what another process brought is not looked for",
            HOLDINGS,
            "            for log_id, tips in found.logs:\n                self._sums.put",
            "            for log_id, tips in found.logs[:1]:\n                self._sums.put",
            HOLDINGS_TESTS,
        ),
        Change(
            "the sums are level once and for all",
            HOLDINGS,
            "            if self._sums.digest() != found.digest:\n",
            "            if False:\n",
            LEVEL_TESTS,
        ),
        Change(
            "the row to ask from is not moved on",
            HOLDINGS,
            "        self._row = found.row\n",
            "        self._row = max(self._row, 0)\n",
            LEVEL_TESTS,
        ),
        Change(
            "only logs with new events are looked at",
            LOOKUP,
            "SELECT log FROM own UNION SELECT b.log",
            "SELECT b.log",
            LEVEL_TESTS,
        ),
        Change(
            "an unsealed goal is sent",
            LOOKUP,
            "if branch is None or not self._store.is_sealed(branch, goal.seq):",
            "if branch is None:",
            HOLDINGS_TESTS,
        ),
        Change(
            "a place that is not on the way to the goal is taken for one",
            EXCHANGING,
            "(after is not None and not path.has(after.seq, after.hash))",
            "False",
            HOLDINGS_TESTS,
        ),
        Change(
            "a range begins one event late",
            EXCHANGING,
            "after.seq if after is not None else 0)",
            "after.seq + 1 if after is not None else 0)",
            HOLDINGS_TESTS,
        ),
        Change(
            "the event itself does not count as sealed at or below",
            LOOKUP,
            "seq = path.last_seal(event.seq) if path else 0",
            "seq = path.last_seal(event.seq - 1) if path else 0",
            HOLDINGS_TESTS,
        ),
        Change(
            "the hash of the event before is told",
            LOOKUP,
            "for seq in wanted if (digest := path.hash_before(seq + 1))]",
            "for seq in wanted if (digest := path.hash_before(seq))]",
            HOLDINGS_TESTS,
        ),
        Change(
            "the oldest missing bodies are asked for first",
            LOOKUP,
            "ORDER BY m.event DESC LIMIT ?",
            "ORDER BY m.event LIMIT ?",
            EXCHANGING_TESTS,
        ),
        Change(
            "a private space answers",
            LOOKUP,
            "        refuse_private(store.connection)\n",
            "",
            PRIVATE_TESTS,
        ),
    ],
    "late-bodies": [
        Change(
            "a forged body is taken",
            LOOKUP,
            "return is_formed and commit(salt, body) == found.commitment",
            "return is_formed",
            EXCHANGING_TESTS,
        ),
        Change(
            "a body of any size is taken",
            LOOKUP,
            " and len(body) <= BODY_BYTES_MAX",
            "",
            EXCHANGING_TESTS,
        ),
        Change(
            "what a late body reveals is not shown",
            EXCHANGING,
            "self._core.follow(Outcome(self._core.fold.reveal(supplied), [], 0))",
            "self._core.follow(Outcome([], [], 0))",
            HOLDINGS_TESTS,
        ),
        Change(
            "a rotted body is given out",
            LOOKUP,
            "            if fits(found, found.salt, found.body):\n",
            "            if True:\n",
            EXCHANGING_TESTS,
        ),
    ],
    "adopting": [
        Change(
            "a nonce is looked for anywhere in the list",
            EXCHANGING,
            "return any(known[at : at + NONCE_BYTES] == nonce for at in starts)",
            "return bool(starts) and nonce in known",
            EXCHANGING_TESTS,
        ),
        Change(
            "the oldest nonces are kept",
            EXCHANGING,
            "known[-NONCES_MAX * NONCE_BYTES :]",
            "known[: NONCES_MAX * NONCE_BYTES]",
            EXCHANGING_TESTS,
        ),
        Change(
            "a log is closed for one that was closed before it",
            EXCHANGING,
            "if own is None or log_id not in (None, own.log.log_id):",
            "if own is None:",
            EXCHANGING_TESTS,
        ),
        Change(
            "a replica that has met others changes its space",
            EXCHANGING,
            "            if has_met(connection):\n",
            "            if False:\n",
            EXCHANGING_TESTS,
        ),
        Change(
            "a replica becomes one of the private space",
            EXCHANGING,
            "        if name == PRIVATE_SPACE:\n",
            "        if False:\n",
            EXCHANGING_TESTS,
        ),
    ],
    "confirming": [
        Change(
            "a peer that has not erased yet confirms",
            RECEIPT,
            "covered = max(row, receipt.covered) if is_erased else receipt.covered",
            "covered = max(row, receipt.covered)",
            LAW_TESTS,
        ),
        Change(
            "what a peer lacks is confirmed",
            RECEIPT,
            "    for log_id, first in (*lacks, *(() if is_whole else receipt.lacks)):\n",
            "    for log_id, first in () if is_whole else receipt.lacks:\n",
            LAW_TESTS,
        ),
        Change(
            "a statement that is not yet erased confirms what was lacked before",
            RECEIPT,
            "is_whole = is_erased and row >= receipt.covered",
            "is_whole = row >= receipt.covered",
            LAW_TESTS,
        ),
        Change(
            "an older comparison that ends later confirms what it does not speak of",
            RECEIPT,
            "is_whole = is_erased and row >= receipt.covered",
            "is_whole = is_erased",
            LAW_TESTS,
        ),
        Change(
            "of a log named twice the last counts",
            RECEIPT,
            "lacking[log_id] = min(first, lacking.get(log_id, first))",
            "lacking[log_id] = first",
            LAW_TESTS,
        ),
        Change(
            "the first event that a peer lacks is confirmed",
            RECEIPT,
            "all(event.log_id != log_id or event.seq < first",
            "all(event.log_id != log_id or event.seq <= first",
            LAW_TESTS,
        ),
        Change(
            "a receipt grows with every event",
            RECEIPT,
            "    covered = max(confirmed, default=0)\n",
            "",
            LAW_TESTS,
        ),
        Change(
            "a receipt excepts as many logs as there are",
            RECEIPT,
            "    if len(first_seqs) > LACKS_MAX:\n",
            "    if False:\n",
            LAW_TESTS,
        ),
        Change(
            "what is not sealed was stated",
            PEERS,
            "lacks = [*stated.unsealed, *self._lacks",
            "lacks = [*self._lacks",
            MACHINE_TESTS,
        ),
        Change(
            "a tip that is not held covers what is",
            PEERS,
            "covered = max((path.split_from(other) for other in held), default=0)",
            "covered = max((tip.seq for tip in tips), default=0)",
            RECEIPTS_TESTS,
        ),
        Change(
            "the last event that is covered is lacked",
            PEERS,
            "yield log_id, covered + 1",
            "yield log_id, covered",
            RECEIPTS_TESTS,
        ),
        Change(
            "the row that counts is that of the comparison's end",
            PEERS,
            "new = heard(receipt, erasing, row=stated.row,",
            "new = heard(receipt, erasing, row=1 << 60,",
            MACHINE_TESTS,
        ),
        Change(
            "an unequal digest confirms",
            MEETING,
            "        if stated.digest != digest:\n",
            "        if False:\n",
            RECEIPTS_TESTS,
        ),
        Change(
            "what erases may be taken back by a power loss after it was stated",
            "kioku/replica.py",
            "full = any(event.kind in (PURGE, RETRACT) for event in chunk.events)",
            "full = False",
            RECEIPTS_TESTS,
        ),
        Change(
            "a restored store believes its receipts",
            PEERS,
            "UPDATE peer SET covered = 0, lacks = ?",
            "UPDATE peer SET lacks = ?",
            RECEIPTS_TESTS,
        ),
        Change(
            "a copy believes its receipts until it writes",
            MEETING,
            "return table.read(with_receipts=not is_copy)",
            "return table.read()",
            RECEIPTS_TESTS,
        ),
        Change(
            "a tail that was said again is listed beside it",
            PEERS,
            "(o.successor IS NULL OR e.seq <= b.sealed_seq)",
            "1",
            RECEIPTS_TESTS,
        ),
    ],
    "meeting": [
        Change(
            "being heard again is written down each time",
            PEERS,
            "        if abs(seen.now_ms - last_seen_ms) > KEPT_SEEN_MS or (",
            "        if seen.now_ms != last_seen_ms or (",
            MEETING_TESTS,
        ),
        Change(
            "a store meets itself",
            PEERS,
            "        if self._connection.execute(_IS_OWN, (seen.log_id,)).get:\n",
            "        if False:\n",
            MEETING_TESTS,
        ),
        Change(
            "a log that is heard again is waited for no more",
            PEERS,
            " and met[parent][1] <= first_met_ms + SILENT_AFTER_MS:",
            ":",
            MEETING_TESTS,
        ),
        Change(
            "a log that speaks beside its successor is not noticed",
            PEERS,
            "return bool(self._connection.execute(_MET_BETWEEN, (seen.log_id, *limits)).get)",
            "return False",
            MEETING_TESTS,
        ),
        Change(
            "a log that is continued is waited for",
            PEERS,
            "waited = [peer for peer in peers if not peer.is_succeeded]",
            "waited = list(peers)",
            MEETING_TESTS,
        ),
        Change(
            "a log is continued by the next one alone",
            PEERS,
            "            waiting += new\n",
            "",
            MEETING_TESTS,
        ),
        Change(
            "whoever invents replicas drives out real ones",
            PEERS,
            " WHERE log_id NOT IN (SELECT log_id FROM log) ORDER BY last_seen_ms",
            " ORDER BY last_seen_ms",
            MEETING_TESTS,
        ),
    ],
}
