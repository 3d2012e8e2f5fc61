"""One-line sabotages of receipts: who is said to have erased, and who has not."""

from __future__ import annotations

from tests.sabotage.change import Change

RECEIPT_TESTS = "tests/unit/node/test_node_receipts.py"
ENGINE = "kioku/node/engine.py"
PEERS = "kioku/node/peers.py"
RECEIPTS = "kioku/node/receipts.py"
UPKEEP = "kioku/node/upkeep.py"

RECEIPT_GROUPS: dict[str, list[Change]] = {
    "receipts": [
        Change(
            "whoever is level has erased",
            RECEIPTS,
            "peer.address.log_id, peer.digest, is_erased=peer.is_erased",
            "peer.address.log_id, peer.digest, is_erased=True",
            RECEIPT_TESTS,
        ),
        Change(
            "a beacon confirms nothing",
            ENGINE,
            "            self._receipts.level(peer)\n",
            "",
            RECEIPT_TESTS,
        ),
        Change(
            "a comparison confirms nothing and takes nothing back",
            ENGINE,
            "            self._receipts.compared(running.peer, running.stated, outcome)\n",
            "",
            RECEIPT_TESTS,
        ),
        Change(
            "who comes back is not looked at",
            PEERS,
            "return known is None or not self.is_reachable or known.nonce != beacon.nonce",
            "return known is None or not self.is_reachable",
            "tests/unit/node/test_node_peers.py",
        ),
        Change(
            "nobody says when an erasure is done",
            ENGINE,
            "                self._publisher.met(now)  # whoever waits for what was erased here\n",
            "                pass\n",
            RECEIPT_TESTS,
        ),
        Change(
            "an erasure that came live is confirmed with the next idle beacon",
            ENGINE,
            "            if self._upkeep.has_erased():\n",
            "            if False:\n",
            RECEIPT_TESTS,
        ),
        Change(
            "erasures are never tried again",
            UPKEEP,
            "            self._site.replica.finish_erasure(0)\n",
            "            pass\n",
            RECEIPT_TESTS,
        ),
    ],
}
