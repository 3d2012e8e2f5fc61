"""One-line sabotages of a running node: who leads, what it drops, whom it tells, how it ends."""

from __future__ import annotations

from tests.sabotage.change import Change

LEADER = "kioku/node/leader.py"
INBOX = "kioku/node/inbox.py"
CONTROL = "kioku/node/control.py"
CONNECTING = "kioku/node/connecting.py"
JOINING = "kioku/node/joining.py"
LOOP = "kioku/node/loop.py"
SEAT = "kioku/node/seat.py"
LOOKING = "kioku/node/looking.py"
NODE = "kioku/node/node.py"
STATUS = "kioku/node/status.py"
SYNCING = "kioku/memory/syncing.py"

LEADER_TESTS = "tests/unit/test_node_leader.py"
INBOX_TESTS = "tests/unit/test_node_inbox.py"
CONTROL_TESTS = "tests/unit/test_node_control.py"
CONNECTING_TESTS = "tests/unit/test_node_connecting.py"
JOINING_TESTS = "tests/unit/test_node_joining.py"
SPACES_TESTS = "tests/unit/test_node_spaces.py"
NODE_TESTS = "tests/unit/test_node.py"
LOOKING_TESTS = "tests/unit/test_node_looking.py"
STATUS_TESTS = "tests/unit/test_node_status.py"
SYNCING_TESTS = "tests/unit/test_memory_syncing.py"
PROCESS_TESTS = "tests/integration/test_node_processes.py"

NODE_GROUPS: dict[str, list[Change]] = {
    "node": [
        # what others saved
        Change(
            "a commit that is seen later than its frames is not looked for",
            LOOKING,
            "self._doubted_until_ms = now_ms + DOUBT_MS",
            "self._doubted_until_ms = now_ms + 1",
            LOOKING_TESTS,
        ),
        Change(
            "what shows in no file is never seen",
            LOOKING,
            "if self._asked_ms is None or now_ms - self._asked_ms >= DOUBT_MS:",
            "if self._asked_ms is None:",
            LOOKING_TESTS,
        ),
        Change(
            "a log that begins anew at the same size is not told from the old one",
            LOOKING,
            "return found.st_ino, found.st_size, found.st_mtime_ns",
            "return found.st_ino, found.st_size, 0",
            LOOKING_TESTS,
        ),
        # who leads
        Change(
            "two processes lead at once",
            LEADER,
            "            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n",
            "            pass\n",
            LEADER_TESTS,
        ),
        Change(
            "a forked child keeps the lock",
            LEADER,
            "        with suppress(OSError):\n            opened.close()\n    _opened.clear()\n",
            "        pass\n    _opened.clear()\n",
            LEADER_TESTS,
        ),
        Change(
            "the lock of a deleted file is as good as any",
            LEADER,
            "return os.path.samestat(os.fstat(self._file.fileno()), os.stat(self.path))\n",
            "return True\n",
            LEADER_TESTS,
        ),
        Change(
            "everybody may read who leads",
            LEADER,
            "os.O_CLOEXEC, 0o600)",
            "os.O_CLOEXEC, 0o644)",
            LEADER_TESTS,
        ),
        Change(
            "nobody looks whether the lock is still there",
            SEAT,
            "        if not self._lock.is_in_place():\n",
            "        if False:\n",
            NODE_TESTS,
        ),
        Change(
            "nobody looks whether the store is still there",
            SEAT,
            "        replica.check_file()\n",
            "",
            NODE_TESTS,
        ),
        # what arrives
        Change(
            "a flood of puts fills the whole inbox",
            INBOX,
            "        share = 2 if isinstance(delivery, Put | Query) else 1\n",
            "        share = 1\n",
            INBOX_TESTS,
        ),
        Change(
            "an inbox has no bound in bytes",
            INBOX,
            "            and self._bytes + size <= self._bytes_max // share\n",
            "",
            INBOX_TESTS,
        ),
        Change(
            "a question that is dropped is never ended",
            INBOX,
            "        elif isinstance(delivery, Query):\n",
            "        elif False:\n",
            INBOX_TESTS,
        ),
        Change(
            "what was taken out still takes room",
            INBOX,
            "            self._bytes -= sum(map(_size, taken))\n",
            "",
            INBOX_TESTS,
        ),
        Change(
            "our own network counts as somebody heard",
            INBOX,
            "self.heard += isinstance(delivery, Put | Query | Reply)",
            "self.heard += 1",
            INBOX_TESTS,
        ),
        # who asks
        Change(
            "everybody may connect to the socket",
            CONTROL,
            "        os.chmod(path, 0o600)  # nobody can connect before it listens\n",
            "        os.chmod(path, 0o666)\n",
            CONTROL_TESTS,
        ),
        Change(
            "a socket lies where others may put one",
            CONTROL,
            "found.st_uid != os.getuid() or found.st_mode & 0o077:",
            "found.st_uid != os.getuid():",
            CONTROL_TESTS,
        ),
        Change(
            "the socket of a dead leader is in the way",
            CONTROL,
            "        os.unlink(path)  # of a leader that died: we hold the lock\n",
            "        pass\n",
            CONTROL_TESTS,
        ),
        Change(
            "a leader that was stopped is nobody",
            CONTROL,
            "                raise NodeSilentError(store, holder_of(store)) from None\n",
            "                return None\n",
            CONTROL_TESTS,
        ),
        Change(
            "an asker that says nothing keeps all others waiting",
            CONTROL,
            "            connection.settimeout(ASKER_S)\n",
            "            connection.settimeout(None)\n",
            CONTROL_TESTS,
        ),
        Change(
            "an answer has no bound",
            CONTROL,
            "        if size > ANSWER_BYTES_MAX:\n",
            "        if False:\n",
            CONTROL_TESTS,
        ),
        Change(
            "a leader goes on answering for what it leads no more",
            CONTROL,
            "            listener.remove()\n",
            "            pass\n",
            CONTROL_TESTS,
        ),
        Change(
            "a status leaves out what was saved just before",
            LOOP,
            "            self.post(lambda: self._askers.append(done))\n",
            "            self.post(done.set)\n",
            NODE_TESTS,
        ),
        Change(
            "bytes cross to another process as text",
            STATUS,
            '        return {"hex": value.hex()}\n',
            "        return value.hex()\n",
            STATUS_TESTS,
        ),
        Change(
            "a field that the other side does not know is an error",
            STATUS,
            " for field, one in inner.items() if field in known})",
            " for field, one in inner.items()})",
            STATUS_TESTS,
        ),
        # the way into the mesh
        Change(
            "a connection that leads nowhere is kept",
            LOOP,
            "            self._connecting.doubt()\n",
            "            pass\n",
            CONNECTING_TESTS,
        ),
        Change(
            "a connection is given up though hubs answer",
            CONNECTING,
            "            elif is_doubted and not ask(transport):\n",
            "            if is_doubted:\n",
            CONNECTING_TESTS,
        ),
        Change(
            "where nobody ever answers it is dialled as often for ever",
            CONNECTING,
            "        self._limit_ms = min(SILENCE_MS_MAX, 2 * self._limit_ms)\n",
            "",
            CONNECTING_TESTS,
        ),
        Change(
            "a hub that cannot listen says nothing",
            NODE,
            "            if isinstance(loop.dial_error, AddressInUseError | ConfigError):\n",
            "            if False:\n",
            CONNECTING_TESTS,
        ),
        Change(
            "a spoke dials once",
            CONNECTING,
            "                self._pause(wait_s * self._rng.random())\n",
            "                return\n",
            CONNECTING_TESTS,
        ),
        Change(
            "a hub is not asked when the link is back",
            "kioku/node/engine.py",
            "                self._comparer.met(peer, now_ms)\n        else:\n",
            "                pass\n        else:\n",
            "tests/unit/node/test_engine.py",
        ),
        # which space
        Change(
            "a store that has met its peers becomes another space",
            JOINING,
            "    if has_met:\n",
            "    if has_met and not offers:\n",
            JOINING_TESTS,
        ),
        Change(
            "of several spaces the first is taken",
            JOINING,
            "    if len(offers) > 1:\n",
            "    if False:\n",
            JOINING_TESTS,
        ),
        Change(
            "the order of the hubs' answers decides what a space is called",
            JOINING,
            "found[space_id] = min(name, found.get(space_id, name))",
            "found[space_id] = name",
            JOINING_TESTS,
        ),
        Change(
            "a space that a person named is another's too",
            SEAT,
            "        self._must_ask = not self._space.is_chosen and",
            "        self._must_ask =",
            SPACES_TESTS,
        ),
        Change(
            "a hub offers no space",
            LOOP,
            "            transport.offer_spaces(",
            "            (lambda *_: None)(",
            SPACES_TESTS,
        ),
        Change(
            "nobody says that the store is another space's",
            SEAT,
            "            self.problem = decision.problem\n",
            "",
            SPACES_TESTS,
        ),
        # what a node does
        Change(
            "a private space takes part",
            NODE,
            "            if space.is_private():\n",
            "            if False:\n",
            NODE_TESTS,
        ),
        Change(
            "what others save is not noticed",
            SEAT,
            "        has_changed = version != self._version\n",
            "        has_changed = False\n",
            NODE_TESTS,
        ),
        Change(
            "a fault in one space ends them all",
            SEAT,
            "        except Exception as error:  # noqa: BLE001 - a fault of ours, in",
            "        except ImportError as error:  # noqa: BLE001 - a fault of ours, in",
            NODE_TESTS,
        ),
        Change(
            "a store that others write to is given up",
            SEAT,
            "        except StoreBusyError as error:\n",
            "        except ImportError as error:\n",
            NODE_TESTS,
        ),
        Change(
            "who leads does nothing while it has no connection",
            SEAT,
            "        self._begin(led)\n",
            "        self._begin(led)\n        if self._link is None:\n            return False\n",
            NODE_TESTS,
        ),
        # how it ends
        Change(
            "the last words are left unsaid",
            LOOP,
            "                steps.callback(seat.publish_last)\n",
            "                pass\n",
            NODE_TESTS,
        ),
        Change(
            "a node that has stopped keeps the lock",
            SEAT,
            "        self._lock.release()\n",
            "",
            NODE_TESTS,
        ),
        Change(
            "a forked child asks a node that it has not",
            NODE,
            "        if os.getpid() != self._pid:\n            raise",
            "        if False:\n            raise",
            NODE_TESTS,
        ),
        Change(
            "a program that forgets to stop never ends",
            LOOP,
            "        if not self._is_stopping and self._is_abandoned():\n",
            "        if False:\n",
            PROCESS_TESTS,
        ),
        Change(
            "saves of this process wait for a look",
            SYNCING,
            "        self._replica.followers.append(self._node.notify)\n",
            "",
            SYNCING_TESTS,
        ),
        Change(
            "an address is a list of letters",
            SYNCING,
            "(given,) if isinstance(given, str) else tuple(given)",
            "tuple(given)",
            SYNCING_TESTS,
        ),
        Change(
            "a program asks itself though another process leads",
            SYNCING,
            '        if space is None or space.state != "standby":\n',
            "        if True:\n",
            SYNCING_TESTS,
        ),
        Change(
            "who waits to be level has nobody compare",
            NODE,
            "            compare()\n",
            "            pass\n",
            STATUS_TESTS,
        ),
    ],
}
