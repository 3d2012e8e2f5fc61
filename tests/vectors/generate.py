"""Wrote the golden bytes of version 1, once: ``python -m tests.vectors.generate``.

It never overwrites a file. Golden bytes that a test finds changed are a broken format, and what
must change then is the code; a new version of a format gets new files beside these.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

import cbor2

from kioku.log.chunk import encode_chunk
from kioku.log.event import (
    GENESIS,
    LATER_KIND,
    PURGE,
    RETRACT,
    SAVE,
    TOMBSTONE,
    ZERO_HASH,
    ZERO_KEY,
    Event,
    EventId,
    commit,
    encode_header,
    hash_header,
    header_prefix,
)
from kioku.log.frontier import Frontier
from kioku.log.hlc import pack
from kioku.log.keyfile import FileKeyRing, LogKey
from kioku.log.payload import Genesis, encode_genesis, encode_targets
from kioku.log.schema import space_id_of
from kioku.log.seal import log_id_of, public_key_of, sign
from kioku.observation import Observation, encode_body
from kioku.replica import Draft, Replica

HERE = Path(__file__).parent
FORMATS = HERE / "formats-v1.json"
STORE = HERE / "store-v1.db"
STORE_CONTENT = HERE / "store-v1.json"

SEED = bytes(range(32))
PUBLIC_KEY = public_key_of(SEED)
LOG_ID = log_id_of(PUBLIC_KEY)
NOW_MS = 1_790_000_000_123
KEYS = [bytes([number]) * 16 for number in (0xA1, 0xB2, 0xC3)]
PARENT = EventId(bytes.fromhex("77" * 16), 300, bytes.fromhex("66" * 32))
UNKNOWN_KIND = 9
MOMENT = datetime.fromtimestamp(NOW_MS / 1000, UTC)

OBSERVATIONS = {
    "least": Observation("a"),
    "all fields": Observation(
        "Chose Postgres over SQLite\nfor analytics, データベース",
        project="demo",
        tags=("db", "決定"),
        memory_type="decision",
        importance=5,
        subject="Database",
        summary="Postgres it is",
        source_files=("src/store.py",),
        references=("docs/adr/0001.md", "#12"),
        supersedes=("ab" * 16, "00" * 15 + "01"),
        agent_family="family",
        client_id="client",
        host="host-1",
        session_id="s-1",
        created_at=MOMENT,
        expires_at=datetime(2100, 1, 1, tzinfo=UTC),
        extra={"b": [1, -1, 1.5, 0.1, 1e300, True, None], "a": {"long key": "x" * 300}},
    ),
    "a later kioku's fields": Observation("known", unknown={18: "new", 1000: [b"\x00", {"k": 1}]}),
}


class Log:
    """Events of one log in a row, with salts that depend on the seq alone."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.hashes: list[bytes] = []
        self.headers: list[bytes] = []

    @property
    def tip(self) -> EventId:
        return EventId(LOG_ID, len(self.events), self.hashes[-1])

    def place(self) -> tuple[int, bytes]:
        return len(self.events) + 1, self.hashes[-1] if self.hashes else ZERO_HASH

    def add(self, kind: int, key: bytes, body: bytes | None) -> None:
        seq, _ = self.place()
        salt = None if body is None else self.salt()
        commitment = None if salt is None or body is None else commit(salt, body)
        hlc = pack(NOW_MS + seq) + seq
        self._add(Event(hlc, kind, key, commitment, salt, body))

    def add_later(self, key: bytes, body: bytes) -> None:
        seq, prev = self.place()
        salt = self.salt()
        fields = [2, LOG_ID, seq, prev, pack(NOW_MS), SAVE, key, commit(salt, body), ["more"]]
        header = cbor2.dumps(fields)
        event = Event(pack(NOW_MS), LATER_KIND, key, commit(salt, body), salt, body, header)
        self._add(event)

    def salt(self) -> bytes:
        return blake2b(bytes([len(self.events)]), digest_size=16).digest()

    def _add(self, event: Event) -> None:
        seq, prev = self.place()
        header = encode_header(header_prefix(LOG_ID), seq, prev, event)
        self.events.append(event)
        self.headers.append(header)
        self.hashes.append(hash_header(header))


def every_shape() -> tuple[Log, list[Event]]:
    """One log with each shape of event, and the events as a sender without two bodies has them."""
    log = Log()
    log.add(GENESIS, ZERO_KEY, encode_genesis(Genesis(PUBLIC_KEY, "golden ひな形", (PARENT,))))
    for number, observation in enumerate(OBSERVATIONS.values()):
        log.add(SAVE, KEYS[number], encode_body(observation))
    log.add(TOMBSTONE, KEYS[0], None)
    log.add(TOMBSTONE, KEYS[1], b"reason")
    log.add(PURGE, KEYS[2], None)
    log.add(RETRACT, ZERO_KEY, encode_targets([log.tip, PARENT]))
    log.add(UNKNOWN_KIND, KEYS[0], b"of a kind to come")
    log.add(SAVE, KEYS[1], b"")
    log.add_later(KEYS[0], b"of a format to come")
    log.add_later(KEYS[1], b"not sent")
    log.add(SAVE, KEYS[0], b"not sent")
    sent = list(log.events)
    for lacking in (len(sent) - 1, len(sent) - 2):
        sent[lacking] = sent[lacking]._replace(salt=None, body=None)
    return log, sent


def formats() -> dict[str, Any]:
    log, sent = every_shape()
    place = EventId(LOG_ID, len(sent), log.hashes[-1])
    middle = EventId(LOG_ID, 3, log.hashes[2])
    targets = [place, middle, PARENT]
    tips = [place, PARENT, PARENT._replace(seq=1 << 62)]
    key = LogKey(LOG_ID, SEED, bytes(range(16)), 1 << 40, 3, log.hashes[2])
    fresh = LogKey(LOG_ID, SEED, None, 77)
    return {
        "seed": SEED,
        "public_key": PUBLIC_KEY,
        "log_id": LOG_ID,
        "events": [
            {
                "header": header,
                "hash": digest,
                "kind": event.kind,
                "hlc": event.hlc,
                "key": event.key,
                "commitment": event.commitment,
                "salt": event.salt,
                "body": event.body,
            }
            for header, digest, event in zip(log.headers, log.hashes, log.events, strict=True)
        ],
        "sent": [event.body is not None for event in sent],
        "chunk": encode_chunk(LOG_ID, 1, ZERO_HASH, events=sent, signature=sign(SEED, place)),
        "later_chunk": encode_chunk(
            LOG_ID,
            3,
            log.hashes[1],
            events=log.events[2:6],
            signature=sign(SEED, place._replace(seq=6, hash=log.hashes[5])),
        ),
        "retract": {"targets": sorted(targets), "bytes": encode_targets(targets)},
        "frontier": {"tips": sorted(tips), "bytes": Frontier(tips).to_bytes()},
        "digest": Frontier(tips).digest(),
        "key_files": [_key_file(key), _key_file(fresh)],
        "space_id": {"name": "default", "bytes": space_id_of("default")},
    }


def _key_file(key: LogKey) -> dict[str, Any]:
    import tempfile

    with tempfile.TemporaryDirectory() as directory:
        ring = FileKeyRing(f"{directory}/space.db")
        ring.store(key)
        return {"fields": list(_fields(key)), "bytes": Path(ring.path(key.log_id)).read_bytes()}


def _fields(key: LogKey) -> tuple[object, ...]:
    return key.log_id, key.seed, key.machine_id, key.inode, key.sealed_seq, key.sealed_hash


def write_store() -> dict[str, Any]:
    """A store with a peer's log, an edit, a tombstone, a purge, a retract and a held event."""
    from kioku.view import ObservationView

    replica = Replica.open(
        STORE, rng=Random(1), name="golden", view=ObservationView(), space="golden"
    )
    with replica:
        replica.ingest_chunk(formats()["chunk"], now_ms=NOW_MS)
        own = [bytes([number]) * 16 for number in range(1, 6)]
        now = NOW_MS + 10_000

        def save(key: bytes, content: str, **fields: Any) -> EventId:
            body = encode_body(Observation(content, created_at=MOMENT, **fields))
            return replica.append([Draft(SAVE, key, body)], now_ms=now)[0].id

        old = save(own[0], "first wording", project="demo", tags=("old",))
        save(own[0], "second wording", project="demo", importance=4)
        save(own[1], "to be deleted")
        replica.append([Draft(TOMBSTONE, own[1], b"not needed")], now_ms=now)
        save(own[2], "to be purged")
        replica.append([Draft(PURGE, own[2])], now_ms=now)
        save(own[3], "東京のデータベース", memory_type="decision")
        replica.append([Draft(RETRACT, ZERO_KEY, encode_targets([old]))], now_ms=now)
        digest = replica.digest()
        save(own[4], "saved after the last seal")
        with replica.reading(now_ms=now) as reading:
            shown = {
                key.hex(): found.body
                for key in reading.keys_with_prefix("")
                if (found := reading.shown(key))
            }
        replica.finish_erasure(0)
        return {
            "now_ms": now,
            "digest_before_the_tail": digest,
            "frontier": [list(tip) for tip in replica.frontier()],
            "shown": shown,
            "chunks": list(replica.export_chunks()),
        }


def jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: jsonable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in value]
    return value


def write(path: Path, content: object) -> None:
    text = json.dumps(jsonable(content), indent=1, ensure_ascii=False)
    with path.open("x", encoding="utf-8") as file:
        file.write(text + "\n")


def main() -> None:
    """Write what is not there yet."""
    if not FORMATS.exists():
        golden = formats()
        golden["observations"] = {
            name: encode_body(observation) for name, observation in OBSERVATIONS.items()
        }
        write(FORMATS, golden)
    if not STORE_CONTENT.exists():
        STORE.unlink(missing_ok=True)
        write(STORE_CONTENT, write_store())
        for key in HERE.glob("store-v1.*.key"):
            key.unlink()


if __name__ == "__main__":
    main()
