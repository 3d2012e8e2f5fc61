"""Sabotages of the session that brings one replica level with another."""

from __future__ import annotations

from tests.sabotage.change import Change

BODIES = "kioku/transport/bodies.py"
COMPARE = "kioku/transport/compare.py"
PULL = "kioku/transport/pull.py"
SESSION = "kioku/transport/session.py"
SPLIT = "kioku/transport/split.py"

COST_TESTS = "tests/unit/transport/test_session_costs.py"
LIE_TESTS = "tests/unit/transport/test_session_lies.py"
OUTCOME_TESTS = "tests/unit/transport/test_session_outcome.py"
SESSION_LAWS = "tests/property/test_sessions.py"
SESSION_TESTS = "tests/unit/transport/test_session.py"
SPLIT_TESTS = "tests/unit/transport/test_session_forks.py"

SESSION_GROUPS: dict[str, list[Change]] = {
    "session": [
        Change(
            "only the first of several digits that differ is looked into",
            COMPARE,
            "                self._waiting.append(prefix + digit)\n",
            "                self._waiting.append(prefix + digit)\n                break\n",
            f"{COST_TESTS} {SESSION_TESTS}",
        ),
        Change(
            "digits that do not differ are looked into",
            COMPARE,
            "            if its == mine:\n",
            "            if its == mine == b'':\n",
            COST_TESTS,
        ),
        Change(
            "what the peer lacks wholly is not noted",
            COMPARE,
            "                self._note({}, self._our_tips(prefix + digit))\n",
            "                continue\n",
            OUTCOME_TESTS,
        ),
        Change(
            "heads of other prefixes are taken",
            COMPARE,
            "        if not answered.issubset(self._question):\n",
            "        if False:\n",
            SESSION_TESTS,
        ),
        Change(
            "sums of one log are gone into",
            COMPARE,
            "        if any(part.heads is None and len(part.prefix) == HEX_DIGITS_MAX for",
            "        if any(part.heads is None and len(part.prefix) == 99 for",
            LIE_TESTS,
        ),
        Change(
            "sums may differ without end",
            COMPARE,
            "        if self._sums > self._limits.sums_max:\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "any number of tips is taken",
            COMPARE,
            "        if self._heads > self._limits.heads_max:\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "parts of several moments make a receipt",
            COMPARE,
            "        self.is_one_moment &= self._digest in {None, message.digest}\n",
            "",
            OUTCOME_TESTS,
        ),
        Change(
            "erased is what the last answer says",
            COMPARE,
            "        self.is_erased &= message.erased\n",
            "        self.is_erased = message.erased\n",
            OUTCOME_TESTS,
        ),
        Change(
            "a comparison that was not finished makes a receipt",
            SESSION,
            "            erased=is_compared and comparison",
            "            erased=comparison",
            SESSION_TESTS,
        ),
        Change(
            "a comparison that was not finished makes level",
            SESSION,
            "            is_level=is_compared and self._is_level",
            "            is_level=self._is_level",
            SESSION_TESTS,
        ),
        Change(
            "a chunk of another log is ingested",
            PULL,
            "        if start.log_id != self.log_id or start.last_seq",
            "        if start.last_seq",
            SESSION_TESTS,
        ),
        Change(
            "a chunk past the goal is ingested",
            PULL,
            " or start.last_seq > self._goals[0].seq:\n",
            ":\n",
            SESSION_TESTS,
        ),
        Change(
            "a chunk behind a gap is given to the store",
            PULL,
            "        if start.first_seq > self._reached + 1 or start",
            "        if start",
            SESSION_TESTS,
        ),
        Change(
            "a chunk that came twice is given to the store",
            PULL,
            " or start.last_seq <= self._reached:\n",
            ":\n",
            SESSION_TESTS,
        ),
        Change(
            "chunks over the credit are taken",
            PULL,
            "        if self._bytes > self.credit_bytes:\n",
            "        if False:\n",
            SESSION_TESTS,
        ),
        Change(
            "a log may be refused again and again",
            PULL,
            "        if is_final or self._strikes >= STRIKES_MAX:\n",
            "        if is_final:\n",
            OUTCOME_TESTS,
        ),
        Change(
            "a log is refused at the first spoilt chunk",
            PULL,
            "STRIKES_MAX: Final = 2\n",
            "STRIKES_MAX: Final = 1\n",
            OUTCOME_TESTS,
        ),
        Change(
            "a refusal that the network may be to blame for lasts",
            PULL,
            "            is_lasting = is_final or isinstance",
            "            is_lasting = True or isinstance",
            OUTCOME_TESTS,
        ),
        Change(
            "too many tips are no lasting refusal",
            PULL,
            "        is_final = isinstance(error, LogLimitError)\n",
            "        is_final = False\n",
            OUTCOME_TESTS,
        ),
        Change(
            "a log is fetched from its beginning each time",
            PULL,
            "            self._stand_at(max(below, key=lambda tip: tip.seq, default=None))\n",
            "            self._stand_at(None)\n",
            f"{SESSION_LAWS} {COST_TESTS}",
        ),
        Change(
            "the smallest own tip is fetched from",
            PULL,
            "            self._stand_at(max(below,",
            "            self._stand_at(min(below,",
            SPLIT_TESTS,
        ),
        Change(
            "a cut range begins where it had begun",
            PULL,
            "            if len(reached) == 1:\n                self._stand_at(reached[0])\n",
            "            if len(reached) == 1:\n                self._reached = 0\n",
            SESSION_TESTS,
        ),
        Change(
            "the split is taken for a seal",
            PULL,
            "        place = search.split and self._holdings.sealed_at_or_below(search.split)\n",
            "        place = search.split and search.split[1:]\n",
            SPLIT_TESTS,
        ),
        Change(
            "unknown ends a log",
            PULL,
            "            self._not_on_the_way()\n",
            "            self._give_up()\n",
            f"{SPLIT_TESTS} {SESSION_LAWS}",
        ),
        Change(
            "a log may bring nothing for ever",
            PULL,
            "        if self._idle_asks > self._limits.idle_asks_max:\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "credit that is not enough is asked for again and again",
            PULL,
            "        if self.credit_bytes >= self._limits.credit_bytes:\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "a large event is never given credit enough",
            PULL,
            "        self.needs_full_credit = True\n",
            "",
            SESSION_TESTS,
        ),
        Change(
            "the split is looked for one event further",
            SPLIT,
            "        return self._past - self._held <= 1\n",
            "        return self._past - self._held <= 2\n",
            SPLIT_TESTS,
        ),
        Change(
            "a split costs a question for every two halves",
            SPLIT,
            "        return tuple(low + (high - low) * n // (SEQS_MAX + 1) for n in range(1,",
            "        return tuple(low + (high - low) * n // (SEQS_MAX + 1) for n in range(32,",
            SPLIT_TESTS,
        ),
        Change(
            "any hashes are taken for those that were asked for",
            SPLIT,
            "        if tuple(place.seq for place in places) != self.seqs():\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "bodies that were not asked for are taken",
            BODIES,
            "        if not named.issubset(self._question):\n",
            "        if False:\n",
            "tests/unit/transport/test_session_bodies.py",
        ),
        Change(
            "a peer without bodies is asked for all of them",
            BODIES,
            "        if self._vain >= self._limits.bodies_max or",
            "        if False or",
            "tests/unit/transport/test_session_bodies.py",
        ),
        Change(
            "bodies that credit left out are not asked for again",
            BODIES,
            '        if status == "credit" and self._has_brought:\n',
            '        if status == "never":\n',
            "tests/unit/transport/test_session_bodies.py",
        ),
        Change(
            "missing bodies are not asked for",
            SESSION,
            "        if not self._bodies.is_done:\n",
            "        if False:\n",
            SESSION_LAWS,
        ),
        Change(
            "an answer without its end is complete",
            SESSION,
            '        self._cut(running, problem or "did not answer")\n',
            "        running.job.cut()\n",
            SESSION_TESTS,
        ),
        Change(
            "a peer that never answers is asked for ever",
            SESSION,
            "        if self._cuts_in_a_row > self._limits.cuts_max:\n",
            "        if False:\n",
            SESSION_TESTS,
        ),
        Change(
            "a peer that gives nothing is asked for all that it names",
            SESSION,
            "        if self._given_up > self._limits.given_up_max:\n",
            "        if False:\n",
            LIE_TESTS,
        ),
        Change(
            "useless replies may go on for ever",
            SESSION,
            "        elif running.idle_replies > self._limits.idle_replies_max:\n",
            "        elif False:\n",
            LIE_TESTS,
        ),
        Change(
            "what was refused is asked for again",
            SESSION,
            "            wanted = [head for head in theirs if head.tip not in self._refused]\n",
            "            wanted = list(theirs)\n",
            OUTCOME_TESTS,
        ),
        Change(
            "a refused log keeps two replicas from being level",
            SESSION,
            "                left -= sum(map(tip_sum, tips))\n",
            "",
            OUTCOME_TESTS,
        ),
        Change(
            "the oldest log is fetched first",
            SESSION,
            "        pulls.sort(key=lambda pull: -pull.newest)\n",
            "        pulls.sort(key=lambda pull: pull.newest)\n",
            SESSION_TESTS,
        ),
        Change(
            "all ranges get all the credit",
            SESSION,
            "        free = self._credit_bytes - given\n",
            "        free = self._credit_bytes\n",
            COST_TESTS,
        ),
        Change(
            "logs are fetched one after the other",
            SESSION,
            "            return least\n        count",
            "            return None if given else least\n        count",
            COST_TESTS,
        ),
        Change(
            "questions are numbered from one in every session",
            SESSION,
            "        self._next_id = rng.getrandbits(60)\n",
            "        self._next_id = 1\n",
            OUTCOME_TESTS,
        ),
    ],
}
