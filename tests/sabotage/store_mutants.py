"""More sabotages: of what a store does for its caller, its peers and its own file."""

from __future__ import annotations

from tests.sabotage.change import Change

CHUNK = "kioku/log/chunk.py"
CODEC = "kioku/log/codec.py"
DATABASE = "kioku/log/database.py"
ERASURE = "kioku/log/erasure.py"
FOLD = "kioku/crdt/fold.py"
OWNER = "kioku/log/owner.py"
PATH = "kioku/log/path.py"
PAYLOAD = "kioku/log/payload.py"
REPLICA = "kioku/replica.py"
TRANSACTION = "kioku/transaction.py"
TRANSFER = "kioku/log/transfer.py"
VALUES = "kioku/values.py"

PAGE_TESTS = "tests/integration/test_erasure_pages.py"
EXCHANGE_TESTS = "tests/unit/log/test_review_exchange.py"
OWNER_TESTS = "tests/unit/log/test_review_owner.py"
REPLICA_TESTS = "tests/unit/test_review_replica.py"
START_TESTS = "tests/integration/test_startup.py"
VALUES_TESTS = "tests/unit/test_values.py"

STORE_GROUPS: dict[str, list[Change]] = {
    "start": [
        Change(
            "whoever calls main has his collector changed",
            "kioku/cli/__init__.py",
            "    if argv is not None:\n",
            "    if argv is not None and False:\n",
            START_TESTS,
        ),
        Change(
            "a command imports dataclasses",
            "kioku/memory/recall.py",
            "    from kioku.values import replace\n",
            "    from dataclasses import replace\n",
            START_TESTS,
        ),
    ],
    "values": [
        Change(
            "every field is compared",
            VALUES,
            "for each in fields if each.is_compared)",
            "for each in fields)",
            VALUES_TESTS,
        ),
        Change(
            "a value can be changed",
            VALUES,
            "        __setattr__=_refuse,\n",
            "",
            VALUES_TESTS,
        ),
        Change(
            "replacing keeps what it should change",
            VALUES,
            "        if name not in changes:\n",
            "        if True:\n",
            VALUES_TESTS,
        ),
    ],
    "erasure": [
        Change(
            "an erasure that came meanwhile is taken for done",
            ERASURE,
            "write_meta(connection, name, max(raised, int(read_meta(connection, name, 0))))",
            "write_meta(connection, name, _raised(connection))",
            PAGE_TESTS,
        ),
        Change(
            "a slower finisher takes back what another noted",
            ERASURE,
            "max(raised, int(read_meta(connection, name, 0)))",
            "raised",
            PAGE_TESTS,
        ),
        Change(
            "the file is not written anew",
            DATABASE,
            'return self._maintain("VACUUM", timeout_ms)',
            "return True",
            PAGE_TESTS,
        ),
        Change(
            "purged words stay where the index parts its pages",
            ERASURE,
            "        scrub(connection)\n",
            "        pass\n",
            PAGE_TESTS,
        ),
        Change(
            "the word index is written anew below its highest level, where marks are kept",
            "kioku/view/schema.py",
            "            if connection.execute(_IS_HIGHEST).get:\n",
            "            if True:\n",
            PAGE_TESTS,
        ),
        Change(
            "a store is opened without the view that it has",
            TRANSACTION,
            "if any(map(gt, self.derived_by(), self.versions)):",
            "if all(map(gt, self.derived_by(), self.versions)):",
            PAGE_TESTS,
        ),
        Change(
            "an open store writes into a view that another has rebuilt",
            TRANSACTION,
            "if self.derived_by() != self.versions:",
            "if False:",
            PAGE_TESTS,
        ),
        Change(
            "a rebuild takes a store back from a newer kioku",
            TRANSACTION,
            "        self.check_not_newer()\n        self.fold.clear()",
            "        self.fold.clear()",
            PAGE_TESTS,
        ),
        Change(
            "a rotten body keeps a newer kioku from opening",
            REPLICA,
            "self.rebuild(strict=False)",
            "self.rebuild()",
            "tests/integration/test_damage.py",
        ),
        Change(
            "a rotten retract is believed",
            "kioku/log/store.py",
            "if strict or not any(entry.key):",
            "if strict:",
            "tests/integration/test_damage.py",
        ),
        Change(
            "a rebuild leaves the old view's words",
            TRANSACTION,
            "        raise_due(self.connection)  # an older analysis may have left words behind\n",
            "",
            PAGE_TESTS,
        ),
        Change(
            "an erasure that cannot be finished fails the save",
            "kioku/erasing.py",
            "with suppress(StoreError):  # what was asked",
            "with suppress(SchemaVersionError):  # what was asked",
            REPLICA_TESTS,
        ),
    ],
    "exchange": [
        Change(
            "the seal that a fork leaves from is not sent",
            REPLICA,
            "        if seal is not None:\n            yield seal\n",
            "",
            EXCHANGE_TESTS,
        ),
        Change(
            "a fork is sent from where it leaves, seal or not",
            PATH,
            "path.last_seal(path.split_from(Path(path.store, tip)))",
            "path.split_from(Path(path.store, tip))",
            EXCHANGE_TESTS,
        ),
        Change(
            "bodies that came late fill a chunk over its limit",
            TRANSFER,
            "room = CHUNK_BYTES_MAX - lasting_bytes(data, run.events)",
            "room = CHUNK_BYTES_MAX",
            EXCHANGE_TESTS,
        ),
        Change(
            "a chunk may be one that erasure makes too long",
            CHUNK,
            "is_near and lasting_bytes(data, events) > CHUNK_BYTES_MAX",
            "is_near and len(data) > CHUNK_BYTES_MAX",
            EXCHANGE_TESTS,
        ),
        Change(
            "a container may be a map's key",
            CODEC,
            "if is_key and major > 3:",
            "if is_key and major > 5:",
            EXCHANGE_TESTS,
        ),
        Change(
            "a name must be printable",
            PAYLOAD,
            "if _CONTROL.intersection(name):",
            "if not name.isprintable():",
            EXCHANGE_TESTS,
        ),
        Change(
            "a name may have control characters",
            PAYLOAD,
            "if _CONTROL.intersection(name):",
            "if False:",
            EXCHANGE_TESTS,
        ),
    ],
    "owner": [
        Change(
            "a log that somebody else sealed is extended",
            TRANSACTION,
            "if has_new or chunk.last.seq > own.branch.sealed_seq:",
            "if has_new:",
            OWNER_TESTS,
        ),
        Change(
            "our own seal closes our log",
            TRANSACTION,
            "if has_new or chunk.last.seq > own.branch.sealed_seq:",
            "if True:",
            OWNER_TESTS,
        ),
        Change(
            "first copies of a tail are not taken back",
            OWNER,
            "return [*tail, *(Draft(RETRACT, ZERO_KEY, body) for body in bodies)]",
            "return tail",
            OWNER_TESTS,
        ),
        Change(
            "erased saves of a tail are said again",
            OWNER,
            "gone = event.kind == SAVE and event.body is None",
            "gone = False",
            OWNER_TESTS,
        ),
        Change(
            "an import keeps a stamp that lies years ahead",
            "kioku/log/draft.py",
            "yield draft.hlc if draft.hlc <= trusts else pack(now_ms)",
            "yield draft.hlc",
            OWNER_TESTS,
        ),
        Change(
            "a transaction may begin inside another",
            DATABASE,
            "            raise NestedTransactionError\n",
            "            pass\n",
            OWNER_TESTS,
        ),
        Change(
            "an append of nothing begins a log",
            TRANSACTION,
            "        if not drafts:\n            return []\n",
            "",
            OWNER_TESTS,
        ),
        Change(
            "a file that was replaced is written",
            TRANSACTION,
            "        self.owner.check_file()\n",
            "",
            OWNER_TESTS,
        ),
    ],
    "replica": [
        Change(
            "what is held is scanned",
            FOLD,
            '    "CREATE INDEX held_until ON held(hlc)",\n',
            "",
            REPLICA_TESTS,
        ),
        Change(
            "standings carry bodies",
            FOLD,
            'columns = ENTRY_COLUMNS.replace("e.body", "NULL")',
            "columns = ENTRY_COLUMNS",
            REPLICA_TESTS,
        ),
        Change(
            "a forked child waits for a lock",
            REPLICA,
            "self._database.check_process()  # first: a lock that was held at the fork stays",
            "pass  # first: a lock that was held at the fork stays",
            REPLICA_TESTS,
        ),
        Change(
            "a connection is used on after a disk error",
            REPLICA,
            "                self._reattach()\n",
            "                pass\n",
            REPLICA_TESTS,
        ),
    ],
}
