"""What can be wrong between machines: copied stores, and what other machines have sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kioku.doctor import check
from kioku.log.event import SAVE, EventId
from tests.property.authors import Author
from tests.unit.ailments import Bench, breaks, named, of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from kioku.memory import Memory


# -- a store that was copied


class Copied(Author):
    """A log whose store was copied: both ends are in ``memory``, the second begun at stamp 3."""

    def __init__(self, memory: Memory) -> None:
        super().__init__(9, hlc=1, name="laptop")
        self.memory = memory
        self.ends = [self.grow(self.genesis, 2, b"first"), self.grow(self.genesis, 3, b"second")]

    def grow(self, before: EventId, hlc: int, body: bytes) -> EventId:
        end = self.append(before, SAVE, hlc=hlc, key=b"k" * 16, body=body)
        self.memory.ingest_chunk(self.chunk(self.genesis, end))
        return end

    def succeed(self, number: int, hlc: int) -> None:
        """Begin another log, as its owner does when it hears of the other end."""
        heir = Author(number, hlc=hlc, parents=(self.ends[0],), name="laptop")
        self.memory.ingest_chunk(heir.chunk(heir.genesis, heir.genesis))


@breaks("forks")
def a_store_that_was_copied(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    copied = Copied(memory)
    [found] = named(check(memory), "forks")
    assert f"log {copied.log_id.hex()[:8]} of laptop has 2 ends" in found.summary
    assert "wherever the copy is" not in found.hint, "it is not ours"
    yield of(memory)
    copied.succeed(10, hlc=4)


@breaks("forks")
def a_disk_that_was_set_back(bench: Bench) -> Iterator[Any]:
    bench.memory().close()
    files = [bench.tmp_path / "one.db", *bench.tmp_path.glob("*.key")]
    before = [file.read_bytes() for file in files]
    later = bench.memory()
    lost = list(later.export_chunks())
    later.close()
    for file, content in zip(files, before, strict=True):
        file.write_bytes(content)
    memory = bench.stores.open()
    memory.save("something else instead")
    memory.digest()
    for chunk in lost:  # as another machine gives it back
        memory.ingest_chunk(chunk)
    assert "here and wherever the copy is" in named(check(memory), "forks")[0].hint
    yield of(memory)
    memory.save("which begins another log")


@breaks("forks")
def a_copy_that_was_not_noticed_by_its_own_side(bench: Bench) -> Iterator[Any]:
    memory = bench.memory()
    copied = Copied(memory)
    copied.succeed(10, hlc=3)  # began while the other end was still being written
    yield of(memory)
    copied.succeed(11, hlc=4)
