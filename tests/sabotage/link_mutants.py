"""One-line sabotages of what carries messages: keys, settings, threads, limits, ways out."""

from __future__ import annotations

from tests.sabotage.change import Change

KEYS = "kioku/transport/key_expressions.py"
SETTINGS = "kioku/transport/zenoh_settings.py"
FAULTS = "kioku/transport/zenoh_faults.py"
SESSION = "kioku/transport/zenoh_session.py"
SPACE = "kioku/transport/zenoh_space.py"
LINK = "kioku/transport/zenoh_link.py"
MEMORY = "kioku/transport/memory_link.py"
QUESTIONS = "kioku/transport/memory_questions.py"

KEY_TESTS = "tests/unit/test_key_expressions.py"
SETTINGS_TESTS = "tests/unit/test_zenoh_settings.py"
MEMORY_TESTS = "tests/unit/test_memory_link.py"
CONTRACT = "tests/integration/test_link_contract.py"
ZENOH_TESTS = "tests/integration/test_zenoh_link.py"
HUB_TESTS = "tests/integration/test_zenoh_hubs.py"

LINK_GROUPS: dict[str, list[Change]] = {
    "link": [
        Change(
            "a key may go on after its end",
            KEYS,
            "    parts = _KEY.fullmatch(key)",
            "    parts = _KEY.match(key)",
            KEY_TESTS,
        ),
        Change(
            "a machine may have any name",
            KEYS,
            '_MACHINE: Final = re.compile("[a-z0-9-]{1,32}")',
            '_MACHINE: Final = re.compile("[^/]{1,32}")',
            KEY_TESTS,
        ),
        Change(
            "a question is taken for a put",
            KEYS,
            "    kind = _OF_PUTS.get(parts[4]) if parts else None",
            "    kind = {**_OF_PUTS, **_OF_QUERIES}.get(parts[4]) if parts else None",
            KEY_TESTS,
        ),
        Change(
            "an id of any length is written",
            KEYS,
            "        if len(value) != ID_BYTES:",
            "        if len(value) > ID_BYTES:",
            KEY_TESTS,
        ),
        Change(
            "what lies within a fixed table can be laid over",
            SETTINGS,
            'path.startswith(f"{fixed}/") or ',
            "",
            SETTINGS_TESTS,
        ),
        Change(
            "a table that holds something fixed can be replaced",
            SETTINGS,
            ' or fixed.startswith(f"{path}/"):',
            ":",
            SETTINGS_TESTS,
        ),
        Change(
            "an override replaces the table it is in",
            SETTINGS,
            "_merged(mine if isinstance(mine, Mapping) else {}, value)",
            "dict(value)",
            SETTINGS_TESTS,
        ),
        Change(
            "a spoke tries its first hub alone",
            SETTINGS,
            '    whole["connect"] |= {"timeout_ms": 0, "exit_on_failure": True}',
            '    whole["connect"] |= {"timeout_ms": 2_000, "exit_on_failure": True}',
            HUB_TESTS,
        ),
        Change(
            "a hub does not start while another is down",
            SETTINGS,
            '    whole["connect"] |= {"timeout_ms": -1, "exit_on_failure": False}',
            '    whole["connect"] |= {"timeout_ms": 0, "exit_on_failure": True}',
            HUB_TESTS,
        ),
        Change(
            "a hub lets everything through",
            SETTINGS,
            '            "size_limit": MESSAGE_BYTES_MAX,',
            '            "size_limit": 4 * MESSAGE_BYTES_MAX,',
            f"{SETTINGS_TESTS} {ZENOH_TESTS}",
        ),
        Change(
            "spokes look for hubs by multicast",
            SETTINGS,
            '            "multicast": {"enabled": False},',
            '            "multicast": {"enabled": True},',
            f"{SETTINGS_TESTS} {ZENOH_TESTS}",
        ),
        Change(
            "a taken port is a mistake in the settings",
            FAULTS,
            "        if sign in text:",
            "        if sign == text:",
            f"{SETTINGS_TESTS} {ZENOH_TESTS}",
        ),
        Change(
            "an error lists all that Zenoh knows",
            FAULTS,
            '_INSTEAD.sub("", _WHERE.sub("", str(error)))',
            '_WHERE.sub("", str(error))',
            SETTINGS_TESTS,
        ),
        Change(
            "an error shows the places in Zenoh's source",
            FAULTS,
            '_WHERE.sub("", str(error))',
            "str(error)",
            f"{SETTINGS_TESTS} {ZENOH_TESTS}",
        ),
        Change(
            "Zenoh starts a thread for each callback",
            SESSION,
            "zenoh.handlers.Callback(guarded, drop, indirect=False)",
            "zenoh.handlers.Callback(guarded, drop)",
            CONTRACT,
        ),
        Change(
            "an exit does not wait for what was given up",
            SESSION,
            "        thread.join(EXIT_PATIENCE_S / len(waiting))",
            "        thread.join(0 / len(waiting))",
            HUB_TESTS,
        ),
        Change(
            "closing waits for as long as Zenoh likes",
            SESSION,
            "            _Hanging(lambda: _close(self._session)).wait(patience_s)",
            "            _close(self._session)",
            HUB_TESTS,
        ),
        Change(
            "a forked child takes the session for its own",
            SESSION,
            "        return self._is_closed or self._process != os.getpid()",
            "        return self._is_closed",
            HUB_TESTS,
        ),
        Change(
            "what is too large is let in and out",
            SESSION,
            "        is_allowed = size <= zenoh_settings.MESSAGE_BYTES_MAX",
            "        is_allowed = size <= 2 * zenoh_settings.MESSAGE_BYTES_MAX",
            CONTRACT,
        ),
        Change(
            "one hears what one publishes",
            SPACE,
            "                congestion_control=zenoh.CongestionControl.DROP,\n"
            "                allowed_destination=zenoh.Locality.REMOTE,",
            "                congestion_control=zenoh.CongestionControl.DROP,",
            CONTRACT,
        ),
        Change(
            "a stranger's key is taken for an address",
            SPACE,
            "        if key is None or sample.kind != zenoh.SampleKind.PUT:",
            "        if key is None:",
            ZENOH_TESTS,
        ),
        Change(
            "any number of questions wait",
            SPACE,
            "        elif not self._session.counters.admit(QUERIES_WAITING_MAX):",
            "        elif not self._session.counters.admit(2 * QUERIES_WAITING_MAX):",
            ZENOH_TESTS,
        ),
        Change(
            "equal answers are folded into one",
            SPACE,
            "consolidation=zenoh.ConsolidationMode.NONE",
            "consolidation=zenoh.ConsolidationMode.LATEST",
            CONTRACT,
        ),
        Change(
            "a timeout is no problem",
            SPACE,
            "            self._problem = zenoh_faults.of_reply(error.payload.to_bytes())",
            '            self._problem = ""',
            CONTRACT,
        ),
        Change(
            "a question that was dropped is never ended",
            SPACE,
            "    def __del__(self) -> None:\n        self.end()",
            "    def __del__(self) -> None:\n        vars(_drop).setdefault(id(self), self._query)",
            CONTRACT,
        ),
        Change(
            "a closed link still delivers",
            SPACE,
            "        self._is_silent = True",
            "        self._is_silent = False",
            CONTRACT,
        ),
        Change(
            "a handler that fails reaches Zenoh",
            SPACE,
            "        except Exception:  # noqa: BLE001 - nobody would hear of it on Zenoh's thread",
            "        except KeyError:",
            CONTRACT,
        ),
        Change(
            "a hub is told of no other",
            LINK,
            "            settling.start()",
            "            settling.cancel()",
            HUB_TESTS,
        ),
        Change(
            "any number of hubs is listened to",
            LINK,
            " and is_small and len(answers) < SPACES_ANSWERS_MAX:",
            " and is_small:",
            ZENOH_TESTS,
        ),
        Change(
            "a hub may say of its spaces as much as it likes",
            LINK,
            "            if data and is_small and len",
            "            if data and len",
            ZENOH_TESTS,
        ),
        Change(
            "hubs that never answer hide the one that does",
            LINK,
            "deadline_s = 1.0 + len(settings.connect) * OPEN_TIMEOUT_MS / 1_000",
            "deadline_s = 1.0 + OPEN_TIMEOUT_MS / 1_000",
            ZENOH_TESTS,
        ),
        Change(
            "a lost hub is not noticed",
            LINK,
            "        elif is_gain or is_up != was_up:",
            "        elif is_gain:",
            CONTRACT,
        ),
        Change(
            "the bus in memory hears itself",
            MEMORY,
            "        return source is not target and source.is_up and target.is_up",
            "        return source.is_up and target.is_up",
            CONTRACT,
        ),
        Change(
            "a pulled cable still carries",
            MEMORY,
            "        return source is not target and source.is_up and target.is_up",
            "        return source is not target",
            MEMORY_TESTS,
        ),
        Change(
            "a question in memory waits for ever",
            MEMORY,
            "            overdue = [one for one in self._questions if one.due_ms <= now_ms]",
            "            overdue = [one for one in self._questions if one.due_ms < 0]",
            MEMORY_TESTS,
        ),
        Change(
            "a reply in memory comes after its end",
            QUESTIONS,
            "        if not self._is_over:\n            self.has_reply = True",
            "        if True:\n            self.has_reply = True",
            MEMORY_TESTS,
        ),
    ],
}
