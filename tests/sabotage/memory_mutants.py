"""Sabotages of the memory: what is awaited, and what was."""

from __future__ import annotations

from tests.sabotage.change import Change

AWAITING = "kioku/memory/awaiting.py"
LAW = "kioku/crdt/lww_set.py"
FOLD_PAST = "kioku/crdt/past.py"
VIEW_PAST = "kioku/view/past.py"

AWAITING_UNIT_TESTS = "tests/unit/test_awaiting.py tests/unit/test_awaiting_streams.py"
AWAITING_TESTS = f"{AWAITING_UNIT_TESTS} tests/property/test_awaiting.py"
TWIN_TESTS = "tests/tidy/test_twins.py"
PAST_SEARCH = "kioku/view/past_search.py"
PAST_SEARCH_TESTS = "tests/unit/test_memory_past_search.py"
PAST_UNIT_TESTS = "tests/unit/test_memory_past.py"
PAST_TESTS = f"{PAST_UNIT_TESTS} tests/property/test_past.py"
VERSION_TESTS = "tests/unit/test_memory_versions.py"
PROCESS_TESTS = "tests/integration/test_awaiting_processes.py"

MEMORY_GROUPS: dict[str, list[Change]] = {
    "awaiting": [
        Change(
            "a call runs in the loop",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return self._submit(function, *args, **kwargs).result(9)",
            AWAITING_TESTS,
        ),
        Change(
            "calls take the loop's own threads",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return await asyncio.to_thread(function, self._memory, *args, **kwargs)",
            AWAITING_TESTS,
        ),
        Change(
            "a memory has more than one thread",
            AWAITING,
            'ThreadPoolExecutor(1, thread_name_prefix="kioku")\n        future',
            'ThreadPoolExecutor(4, thread_name_prefix="kioku")\n        future',
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled call is not taken out of the queue",
            AWAITING,
            "return await asyncio.wrap_future(self._submit(function, *args, **kwargs))",
            "return await asyncio.shield("
            "asyncio.wrap_future(self._submit(function, *args, **kwargs)))",
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled call goes on to its last step",
            AWAITING,
            "            steps.error = asyncio.CancelledError()\n",
            "            pass\n",
            AWAITING_TESTS,
        ),
        Change(
            "progress is called in the thread",
            AWAITING,
            "            self._loop.call_soon_threadsafe(\n"
            "                self._tell, self._callback, done, total, context=self._context\n"
            "            )\n",
            "            self._tell(self._callback, done, total)\n",
            AWAITING_TESTS,
        ),
        Change(
            "the error of the last step is swallowed",
            AWAITING,
            "        if steps.error is not None:\n            raise steps.error\n        return",
            "        return",
            AWAITING_TESTS,
        ),
        Change(
            "a cancelled close leaves the store open",
            AWAITING,
            "await asyncio.shield(asyncio.wrap_future(self._closing))",
            "await asyncio.wrap_future(self._closing)",
            AWAITING_TESTS,
        ),
        Change(
            "closing does not wait",
            AWAITING,
            "await asyncio.shield(asyncio.wrap_future(self._closing))",
            "pass",
            AWAITING_TESTS,
        ),
        Change(
            "a memory that nobody waited for stays open",
            AWAITING,
            "            future.add_done_callback(_close_unwanted)\n"
            "            executor.shutdown(wait=False)\n",
            "",
            AWAITING_TESTS,
        ),
        Change(
            "a forked child waits for a thread that is not there",
            AWAITING,
            "if os.getpid() != self._pid:  # the thread",
            "if False:  # the thread",
            PROCESS_TESTS,
        ),
        Change(
            "a method has no twin",
            AWAITING,
            "    undelete = _awaited(Memory.undelete)\n",
            "",
            TWIN_TESTS,
        ),
        Change(
            "a twin is another method's",
            AWAITING,
            "digest = _awaited(Memory.digest)",
            "digest = _awaited(Memory.frontier)",
            TWIN_TESTS,
        ),
    ],
    "versions": [
        Change(
            "a rename is a word of its own",
            "kioku/memory/versions.py",
            "            found[at] = before",
            "            pass",
            VERSION_TESTS,
        ),
        Change(
            "whatever lies a millisecond before was renamed",
            "kioku/memory/versions.py",
            "return fields == other_fields",
            "return True",
            VERSION_TESTS,
        ),
        Change(
            "what differs only in the project was renamed",
            "kioku/memory/versions.py",
            "before = places.get(unix_ms(one.hlc - RENAMED_AFTER))",
            "before = at - 1 if at else None",
            VERSION_TESTS,
        ),
        Change(
            "the same said twice is two versions",
            "kioku/memory/versions.py",
            "words.append(words[at - 1] if says_again else at)",
            "words.append(at)",
            VERSION_TESTS,
        ),
        Change(
            "what wins counts no more if its words were said before",
            "kioku/memory/versions.py",
            "len(standing | {words[-1]})",
            "len(standing)",
            VERSION_TESTS,
        ),
        Change(
            "words that their own log has taken back count",
            "kioku/memory/versions.py",
            "{w for w in said_by if all(last_words[log] == w for log in said_by[w])}",
            "set(last_words.values())",
            VERSION_TESTS,
        ),
    ],
    "past": [
        Change(
            "the law at a moment forgets what was held",
            LAW,
            "for event in self.candidates | self.held if event.hlc <= last",
            "for event in self.candidates if event.hlc <= last",
            PAST_TESTS,
        ),
        Change(
            "a moment leaves out its own stamp",
            FOLD_PAST,
            "WHERE e.hlc <= :last AND e.kind IN (1, 2)",
            "WHERE e.hlc < :last AND e.kind IN (1, 2)",
            PAST_TESTS,
        ),
        Change(
            "what was retracted since counts again",
            FOLD_PAST,
            "    AND NOT EXISTS (SELECT 1 FROM retracted r\n"
            "        WHERE r.log_id = l.log_id AND r.seq = e.seq AND r.hash = e.hash)",
            "",
            PAST_TESTS,
        ),
        Change(
            "what was purged since is told again",
            FOLD_PAST,
            "    AND NOT EXISTS (SELECT 1 FROM purged p WHERE p.key = e.key)\n",
            "",
            PAST_TESTS,
        ),
        Change(
            "a deletion since is overlooked",
            FOLD_PAST,
            "    SELECT key FROM event INDEXED BY event_tombstone WHERE kind = 2 AND hlc > :last\n"
            "    UNION ",
            "    ",
            PAST_TESTS,
        ),
        Change(
            "a version since whose body is missing is overlooked",
            FOLD_PAST,
            "WHERE e.hlc > :last\n",
            "WHERE false\n",
            PAST_TESTS,
        ),
        Change(
            "what waits for the clock never counts",
            FOLD_PAST,
            "WHERE h.hlc <= :last",
            "WHERE false",
            PAST_TESTS,
        ),
        Change(
            "a version since that cannot be read is overlooked",
            VIEW_PAST,
            "    UNION SELECT key FROM unreadable WHERE hlc > :last",
            "",
            PAST_TESTS,
        ),
        Change(
            "a tie between versions of then is broken by arrival",
            FOLD_PAST,
            "other.order < entry.order",
            "other.hlc < entry.hlc",
            PAST_TESTS,
        ),
        Change(
            "an edit since does not take its version out",
            VIEW_PAST,
            "return place.key not in self._changed and is_seen(place)",
            "return is_seen(place)",
            PAST_TESTS,
        ),
        Change(
            "what superseded later hides in the past",
            VIEW_PAST,
            "WHERE s.key = ? AND n.hlc <= ?",
            "WHERE s.key = ? AND n.hlc >= ?",
            PAST_TESTS,
        ),
        Change(
            "only what has not changed since supersedes",
            VIEW_PAST,
            "        found += self._superseders.get(place.key, ())\n",
            "",
            PAST_TESTS,
        ),
        Change(
            "a lesser event supersedes in the past",
            VIEW_PAST,
            "            if one.order > place.order\n            and (",
            "            if (",
            PAST_TESTS,
        ),
        Change(
            "a page that is too short is not asked for again",
            VIEW_PAST,
            "if len(kept) >= limit or len(found) < asked:",
            "if True:",
            PAST_TESTS,
        ),
        Change(
            "the tables of the past stay",
            VIEW_PAST,
            "            drop_shadow(self._connection)\n",
            "            pass\n",
            PAST_TESTS,
        ),
        Change(
            "expiry is that of now",
            "kioku/memory/past.py",
            "return Moment(last=max(-1, min(stamp, hlc.STAMP_LIMIT - 1)), now_ms=now_ms)",
            "return Moment(last=max(-1, min(stamp, hlc.STAMP_LIMIT - 1)), now_ms=0)",
            PAST_UNIT_TESTS,
        ),
        Change(
            "a moment is the beginning of its millisecond",
            "kioku/memory/past.py",
            "stamp = (now_ms << hlc.COUNTER_BITS) | _COUNTERS",
            "stamp = now_ms << hlc.COUNTER_BITS",
            PAST_UNIT_TESTS,
        ),
        Change(
            "versions that came later are counted",
            "kioku/memory/versions.py",
            "e.body IS NOT NULL AND e.hlc <= ?",
            "e.body IS NOT NULL AND ? > 0",
            PAST_UNIT_TESTS,
        ),
        Change(
            "neighbours of a later time lend",
            "kioku/view/candidates.py",
            "AND n.hlc <= :last AND {1} ORDER",
            "AND :last AND {1} ORDER",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "the shadow weighs its words by itself",
            PAST_SEARCH,
            "        weight = one.weight if one else",
            "        weight = other.weight if one else",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "what no text holds any more weighs nothing",
            "kioku/view/candidates.py",
            "return _K1_PLUS_1 * log(2 * rows + 1)",
            "return 0.0 * log(2 * rows + 1)",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "the shadow's texts are as long as each other",
            PAST_SEARCH,
            "context = context._replace(strengths=_set_right(connection, context))",
            "pass",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "letters are looked for in one half",
            PAST_SEARCH,
            "return in_order([one for half in halves for one in half], question.prefer)",
            "return in_order(list(halves[0]), question.prefer)",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "letters find what was superseded",
            PAST_SEARCH,
            "            if half.keeps(place):\n",
            "            if place:\n",
            PAST_SEARCH_TESTS,
        ),
        Change(
            "what is preferred is not first in a list of then",
            VIEW_PAST,
            "key=lambda one: (one[1].project in prefer, one[1].order)",
            "key=lambda one: one[1].order",
            PAST_SEARCH_TESTS,
        ),
    ],
}
