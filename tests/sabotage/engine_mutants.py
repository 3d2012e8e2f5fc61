"""One-line sabotages of the engine: when it speaks, whom it asks, and what it believes."""

from __future__ import annotations

from tests.sabotage.change import Change

COMPARING_TESTS = "tests/unit/node/test_comparing.py"
ENGINE_TESTS = "tests/unit/node/test_engine.py"
FORK_TESTS = "tests/unit/node/test_node_forks.py"
HOSTILITY_TESTS = "tests/unit/node/test_node_hostility.py"
UPKEEP_TESTS = "tests/unit/node/test_node_upkeep.py"
PEER_TESTS = "tests/unit/node/test_node_peers.py"
ENGINE = "kioku/node/engine.py"
COMPARING = "kioku/node/comparing.py"
CONVERSATION = "kioku/node/conversation.py"
PUBLISHING = "kioku/node/publishing.py"
PEERS = "kioku/node/peers.py"
FORKS = "kioku/node/forks.py"
ANSWERS = "kioku/node/answers.py"
TELLING = "kioku/node/telling.py"
UPKEEP = "kioku/node/upkeep.py"
CLOCK_SETTING = "kioku/node/clock_setting.py"

ENGINE_GROUPS: dict[str, list[Change]] = {
    "farewell": [
        Change(
            "a farewell of another process counts",
            PEERS,
            "self.has_left = self.beacon is not None and self.beacon.nonce == nonce",
            "self.has_left = True",
            HOSTILITY_TESTS,
        ),
        Change(
            "who has left is never there again",
            PEERS,
            "self.has_left = self.is_lost = False",
            "self.is_lost = False",
            HOSTILITY_TESTS,
        ),
        Change(
            "who has left counts as reached",
            TELLING,
            "is_there = peer.is_reachable and not peer.has_left",
            "is_there = peer.is_reachable",
            ENGINE_TESTS,
        ),
    ],
    "engine": [
        Change(
            "an equal peer is compared with all the same",
            COMPARING,
            "return bool(digest) and digest not in peer.covered and not self._site.has_had(digest)",
            "return bool(digest)",
            COMPARING_TESTS,
        ),
        Change(
            "a digest that was compared with is compared with again",
            COMPARING,
            "digest not in peer.covered and not",
            "not",
            COMPARING_TESTS,
        ),
        Change(
            "a spoke asks spokes before hubs",
            COMPARING,
            "        if self._has_hub_before(peer):\n            return SPOKE_LATER_MS",
            "        if False:\n            return SPOKE_LATER_MS",
            COMPARING_TESTS,
        ),
        Change(
            "a difference is acted on while live traffic is under way",
            COMPARING,
            "            return LATER_MS << min(peer.fruitless, FRUITLESS_MAX)\n",
            "            return 0\n",
            COMPARING_TESTS,
        ),
        Change(
            "heads are never compared again",
            COMPARING,
            "            if is_more or is_old:\n",
            "            if is_more:\n",
            COMPARING_TESTS,
        ),
        Change(
            "missing bodies are asked of nobody else",
            COMPARING,
            "            if is_more or is_old:\n",
            "            if False:\n",
            UPKEEP_TESTS,
        ),
        Change(
            "a silent peer is waited for",
            CONVERSATION,
            "        self.due_ms = now_ms + ask.timeout_ms + GRACE_MS\n",
            "        self.due_ms = now_ms + 1_000 * ask.timeout_ms\n",
            COMPARING_TESTS,
        ),
        Change(
            "a peer that fails is asked again at once",
            PEERS,
            "self.not_before_ms = now_ms + int(longest * chance)",
            "self.not_before_ms = now_ms",
            PEER_TESTS,
        ),
        Change(
            "a link that went down leaves its peers reachable",
            ENGINE,
            "            self._receipts.gone(self._peers.lose_all())\n\n    def advance",
            "            pass\n\n    def advance",
            COMPARING_TESTS,
        ),
        Change(
            "who joins is not answered",
            ENGINE,
            "            self._publisher.met(now_ms)\n            self._comp",
            "            self._comp",
            ENGINE_TESTS,
        ),
        Change(
            "what a session brought is told to nobody",
            ENGINE,
            "            self._publisher.grew(now_ms)\n        if outcome is not None:",
            "        if outcome is not None:",
            COMPARING_TESTS,
        ),
        Change(
            "own events are not published",
            ENGINE,
            "            self._publisher.publish(now)\n            if is_other:",
            "            if is_other:",
            ENGINE_TESTS,
        ),
        Change(
            "nobody says that events have arrived",
            ENGINE,
            "            self._publisher.received(now_ms)\n",
            "",
            COMPARING_TESTS,
        ),
        Change(
            "a few seconds are let pass over own events too",
            TELLING,
            "    return peer.level_tip == site.own_tip()\n",
            "    return True\n",
            COMPARING_TESTS,
        ),
        Change(
            "no beacon follows own events",
            PUBLISHING,
            "        self._published = tip\n        self._beacon.by(now_ms + DEBOUNCE_MS)\n",
            "        self._published = tip\n",
            COMPARING_TESTS,
        ),
        Change(
            "beacons go out ten times as often",
            PUBLISHING,
            "BEACON_MS: Final = 30_000",
            "BEACON_MS: Final = 3_000",
            COMPARING_TESTS,
        ),
        Change(
            "a chunk that does not fit is forgotten",
            ENGINE,
            "                peer.is_hinted = True\n",
            "                pass\n",
            COMPARING_TESTS,
        ),
        Change(
            "a chunk is taken from whoever sends it",
            ENGINE,
            "        if start.log_id != sender.log_id:\n",
            "        if False:\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "messages of other spaces are read",
            ENGINE,
            "        if put.sender.space_id != self.address.space_id:\n",
            "        if False:\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "a malformed message ends the engine",
            ENGINE,
            "        except PeerError:\n",
            "        except ZeroDivisionError:\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "a store that fails ends the engine",
            ENGINE,
            "except StoreError as error:",
            "except ZeroDivisionError as error:",
            UPKEEP_TESTS,
        ),
        Change(
            "what could not be sealed is not tried again",
            UPKEEP,
            "        self.retry.by(now_ms + self._site.jitter(RETRY_MS))\n",
            "        pass\n",
            UPKEEP_TESTS,
        ),
        Change(
            "questions queue without end",
            ANSWERS,
            "        if len(self._pending) >= PENDING_MAX:\n",
            "        if False:\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "one turn answers everything",
            ANSWERS,
            "            for _ in range(REPLIES_PER_TURN):\n",
            "            for _ in range(1_000_000):\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "peers are met without end",
            PEERS,
            "        if len(self._peers) >= PEERS_MAX and not self._forget_one():\n",
            "        if False:\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "a refused log is asked for each time",
            COMPARING,
            "refused=tuple(peer.refused)",
            "refused=()",
            HOSTILITY_TESTS,
        ),
        Change(
            "what was spoilt on its way is never asked for again",
            PEERS,
            "        return bool(old)\n",
            "        return False\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "whoever cries wolf is heard each time",
            COMPARING,
            "        is_crying = peer.fruitless >= CRIES_MAX\n",
            "        is_crying = False\n",
            HOSTILITY_TESTS,
        ),
        Change(
            "a log that is closed for whatever reason is called a copy",
            ENGINE,
            "is_shared=is_shared and address.log_id != site.own_log_id",
            "is_shared=True",
            FORK_TESTS,
        ),
        Change(
            "a beacon in our name needs no seal",
            FORKS,
            "        except BadSealError:\n            return False\n",
            "        except BadSealError:\n            pass\n",
            FORK_TESTS,
        ),
        Change(
            "our own echo is taken for another's",
            FORKS,
            "return not is_ours",
            "return True",
            FORK_TESTS,
        ),
        Change(
            "replayed beacons close logs without end",
            FORKS,
            "        if len(self._closings) < CLOSINGS_MAX:\n",
            "        if True:\n",
            FORK_TESTS,
        ),
        Change(
            "a beacon in our name is nothing to us",
            FORKS,
            "        self._site.replica.close_own_log(self._site.own_log_id)\n",
            "",
            FORK_TESTS,
        ),
        Change(
            "a closed log is spoken for",
            ENGINE,
            "        self._comparer.cut()\n        self._site.link,",
            "        _unused,",
            FORK_TESTS,
        ),
        Change(
            "a clock is set whatever others say",
            CLOCK_SETTING,
            "        if abs(offset_ms) > DRIFT_MS_MAX or now_ms < self._next_look_ms:\n",
            "        if now_ms < self._next_look_ms:\n",
            UPKEEP_TESTS,
        ),
        Change(
            "a clock that was ahead stays",
            CLOCK_SETTING,
            "        return is_ahead and self._repair(wall, now_ms)\n",
            "        return False\n",
            UPKEEP_TESTS,
        ),
        Change(
            "held events wait for a reader",
            UPKEEP,
            "reading(now_ms=self._site.clock.wall_ms()):",
            "reading(now_ms=0):",
            UPKEEP_TESTS,
        ),
    ],
}
