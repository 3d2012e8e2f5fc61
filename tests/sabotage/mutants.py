"""The list of one-line sabotages: what is broken, and the tests that must notice.

The old line must stand exactly once in its file, so a mutant cannot drift silently from the code.
Add one for every rule that a test is meant to hold.
"""

from __future__ import annotations

from tests.sabotage.adapter_mutants import ADAPTER_GROUPS
from tests.sabotage.change import Change, Mutant
from tests.sabotage.clock_mutants import CLOCK_GROUPS
from tests.sabotage.doctor_mutants import DOCTOR_GROUPS
from tests.sabotage.edge_mutants import EDGE_GROUPS
from tests.sabotage.engine_mutants import ENGINE_GROUPS
from tests.sabotage.exchange_mutants import EXCHANGE_GROUPS
from tests.sabotage.install_mutants import INSTALL_GROUPS
from tests.sabotage.lapse_mutants import LAPSE_GROUPS
from tests.sabotage.link_mutants import LINK_GROUPS
from tests.sabotage.mcp_server_mutants import MCP_SERVER_GROUPS
from tests.sabotage.memory_mutants import MEMORY_GROUPS
from tests.sabotage.mesh_cli_mutants import MESH_CLI_GROUPS
from tests.sabotage.message_mutants import MESSAGE_GROUPS
from tests.sabotage.moving_mutants import MOVING_GROUPS
from tests.sabotage.node_mutants import NODE_GROUPS
from tests.sabotage.project_mutants import PROJECT_GROUPS
from tests.sabotage.receipt_mutants import RECEIPT_GROUPS
from tests.sabotage.screen_mutants import SCREEN_GROUPS
from tests.sabotage.search_mutants import SEARCH_GROUPS
from tests.sabotage.secret_mutants import SECRET_GROUPS
from tests.sabotage.session_mutants import SESSION_GROUPS
from tests.sabotage.simulation_mutants import SIMULATION_GROUPS
from tests.sabotage.space_mutants import SPACE_GROUPS
from tests.sabotage.starting_mutants import STARTING_GROUPS
from tests.sabotage.store_mutants import STORE_GROUPS
from tests.sabotage.tools_mutants import TOOLS_GROUPS

LAW = "kioku/crdt/lww_set.py"
SEAL = "kioku/log/seal.py"
CHUNK = "kioku/log/chunk.py"
TRANSFER = "kioku/log/transfer.py"
OWNER = "kioku/log/owner.py"
KEYFILE = "kioku/log/keyfile.py"
STORE = "kioku/log/store.py"
FOLD = "kioku/crdt/fold.py"
STANDING = "kioku/crdt/standing.py"
TRANSACTION = "kioku/transaction.py"
REPLICA = "kioku/replica.py"

LAW_TESTS = "tests/property/test_lww_set.py"
CODEC_TESTS = "tests/property/test_codec.py"
REFUSAL_TESTS = "tests/property/test_refusals.py"
FOUND_TESTS = "tests/property/test_found.py"
STORE_TESTS = "tests/property/test_convergence.py"
HOSTILE_TESTS = "tests/property/test_hostile.py"
ARRIVAL_TESTS = "tests/property/test_arrival.py"
CLOCKS_TESTS = "tests/property/test_clocks.py"
OWNER_TESTS = "tests/unit/log/test_owner.py"
CHAIN_TESTS = "tests/property/test_damage.py"

GROUPS: dict[str, list[Change]] = {
    "merge": [
        Change(
            "merge drops our retractions",
            LAW,
            "retracted=self.retracted | other.retracted,",
            "retracted=other.retracted,",
            LAW_TESTS,
        ),
        Change(
            "merge keeps only what both sides have",
            LAW,
            "candidates=self.candidates | other.candidates,",
            "candidates=self.candidates & other.candidates,",
            LAW_TESTS,
        ),
        Change(
            "a tie of stamps is broken by arrival",
            LAW,
            "max(counting, key=lambda event: event.order, default=None)",
            "max(counting, key=lambda event: event.hlc, default=None)",
            LAW_TESTS,
        ),
        Change(
            "a tombstone is shown as if it were a save",
            LAW,
            "if event is None or event.kind != SAVE or not self.has_body(event):",
            "if event is None or not self.has_body(event):",
            LAW_TESTS,
        ),
        Change(
            "a held event beats one that counts",
            LAW,
            "event = winner or self._greatest(self.held, key)",
            "event = self._greatest(self.held, key) or winner",
            LAW_TESTS,
        ),
        Change(
            "a purge waits for the clock",
            LAW,
            "return kind in CANDIDATE_KINDS and hlc > horizon(now_ms)",
            "return hlc > horizon(now_ms)",
            LAW_TESTS,
        ),
    ],
    "chain": [
        Change(
            "events of a chunk are not linked",
            CHUNK,
            "        self.prev = digest\n",
            "",
            CODEC_TESTS,
        ),
        Change(
            "a genesis may stand anywhere",
            CHUNK,
            "        check_place(event.kind, self.seq)\n",
            "",
            REFUSAL_TESTS,
        ),
        Change(
            "bytes in another encoding pass",
            CHUNK,
            '    check_canonical(value, data, "chunk")\n',
            "",
            CODEC_TESTS,
        ),
        Change(
            "a body that is not the one committed to passes",
            CHUNK,
            "if commit(salt, body) != event.commitment:",
            "if commit(salt, body) == b'':",
            REFUSAL_TESTS,
        ),
        Change(
            "an event that no longer chains is sent all the same",
            TRANSFER,
            "if stored_seq != seq or not is_as_written(prefix, seq, prev, event, digest):",
            "if stored_seq != seq:",
            CHAIN_TESTS,
        ),
        Change(
            "a run that begins where no seal is held is stored",
            TRANSFER,
            "if found is None or not store.is_sealed(found[0], chunk.first_seq - 1):",
            "if found is None:",
            HOSTILE_TESTS,
        ),
        Change(
            "a branch that leaves from the middle overwrites what follows",
            TRANSFER,
            "if store.tip(store.branch(branch)).seq == before[0]:",
            "if branch:",
            STORE_TESTS,
        ),
    ],
    "seal": [
        Change(
            "a seal does not say which event of the log it is for",
            SEAL,
            "return encode([_TITLE, event.log_id, event.seq, event.hash])",
            "return encode([_TITLE, event.log_id])",
            CODEC_TESTS,
        ),
        Change(
            "a seal that does not verify passes",
            SEAL,
            "    except (InvalidSignature, ValueError) as error:",
            "    except InvalidSignature:\n        return\n    except ValueError as error:",
            CODEC_TESTS,
        ),
        Change(
            "a genesis may hold another log's key",
            CHUNK,
            "elif log_id_of(decode_genesis(event.body).public_key) != self.log_id:",
            "elif not decode_genesis(event.body).public_key:",
            REFUSAL_TESTS,
        ),
        Change(
            "a chunk's seal is never verified",
            REPLICA,
            "        verify(public_key, chunk.last, chunk.signature)\n",
            "",
            HOSTILE_TESTS,
        ),
        Change(
            "a copied store goes on signing its original's log",
            KEYFILE,
            "return self.inode == inode",
            "return True",
            OWNER_TESTS,
        ),
        Change(
            "a store that was rolled back goes on signing",
            OWNER,
            "return key if self._has_sealed(own.branch, key) else None",
            "return key",
            OWNER_TESTS,
        ),
    ],
    "retract": [
        Change(
            "a retract erases a retract",
            LAW,
            "return kind in PERMANENT_KINDS or key == ZERO_KEY",
            "return kind in PERMANENT_KINDS[:2]",
            LAW_TESTS,
        ),
        Change(
            "a retracted event still wins",
            LAW,
            "event for event in events if event.key == key and not self.is_retracted(event)",
            "event for event in events if event.key == key",
            LAW_TESTS,
        ),
        Change(
            "a retract that came first does not count",
            FOLD,
            "self.is_retracted(entry.id):",
            "not entry.id:",
            ARRIVAL_TESTS,
        ),
        Change(
            "a retracted body stays",
            FOLD,
            "erased = self._version_rows(purged) + [target.event_id for target in targets]",
            "erased = self._version_rows(purged)",
            ARRIVAL_TESTS,
        ),
        Change(
            "a retract takes a genesis or a retract back",
            FOLD,
            "return [entry for entry in found if not is_permanent(entry.kind, entry.key)]",
            "return found",
            STORE_TESTS,
        ),
        Change(
            "a body that comes after its retract is stored",
            FOLD,
            "or (self._has_retracted and self.is_retracted(place))",
            "or (self._has_retracted and not place)",
            ARRIVAL_TESTS,
        ),
    ],
    "purge": [
        Change(
            "the winner of a purged key is still named",
            LAW,
            "return None if self.is_purged(key) else self._greatest(self.candidates, key)",
            "return self._greatest(self.candidates, key)",
            LAW_TESTS,
        ),
        Change(
            "a purge erases no body",
            LAW,
            "return self.is_purged(event.key) or self.is_retracted(event)",
            "return self.is_retracted(event)",
            LAW_TESTS,
        ),
        Change(
            "a body that comes after its purge is stored",
            FOLD,
            "        purged |= self._known_purged(event.key for event in events)\n",
            "",
            STORE_TESTS,
        ),
        Change(
            "a purge erases only the words, not the bodies",
            FOLD,
            "erased = self._version_rows(purged) + [target.event_id for target in targets]",
            "erased = [target.event_id for target in targets]",
            ARRIVAL_TESTS,
        ),
        Change(
            "a save after the purge is shown",
            FOLD,
            "if entry.kind not in CANDIDATE_KINDS or key in dirty or key in purged:",
            "if entry.kind not in CANDIDATE_KINDS or key in dirty:",
            ARRIVAL_TESTS,
        ),
        Change(
            "what its own writer says of a purged key stays",
            FOLD,
            "return Outcome(changes, erased + self._buried(entries), len(waiting))",
            "return Outcome(changes, erased, len(waiting))",
            FOUND_TESTS,
        ),
    ],
    "fold": [
        Change(
            "the last to arrive wins",
            STANDING,
            "if standing[1] == WINS and standing[0].order >= entry.order:",
            "if standing[1] == WINS and standing[0] is entry:",
            ARRIVAL_TESTS,
        ),
        Change(
            "a tie within a batch is broken by arrival",
            FOLD,
            "if other is None or other.order < entry.order:",
            "if other is None or other.hlc <= entry.hlc:",
            ARRIVAL_TESTS,
        ),
        Change(
            "a held event counts at once",
            FOLD,
            "        dirty |= {entry.key for entry in entries if entry.event_id in waiting}\n",
            "",
            STORE_TESTS,
        ),
        Change(
            "a held event is decided anew by a rebuild",
            FOLD,
            "return self._fold(entries, {e.event_id for e in entries if e.event_id in held})",
            "return self._fold(entries, set())",
            STORE_TESTS,
        ),
        Change(
            "what is released is not folded",
            FOLD,
            "        keys = {key for _, key in rows}\n",
            "        keys = set[bytes]()\n",
            CLOCKS_TESTS,
        ),
        Change(
            "a retracted version may win again",
            STANDING,
            "if entry.kind not in CANDIDATE_KINDS or standing.is_retracted:",
            "if entry.kind not in CANDIDATE_KINDS:",
            STORE_TESTS,
        ),
        Change(
            "a late body is not shown",
            TRANSACTION,
            "        self.follow(Outcome(self.fold.reveal(supplied), [], 0))\n",
            "",
            FOUND_TESTS,
        ),
    ],
    **ADAPTER_GROUPS,
    **CLOCK_GROUPS,
    **STORE_GROUPS,
    **STARTING_GROUPS,
    **TOOLS_GROUPS,
    **MEMORY_GROUPS,
    **MCP_SERVER_GROUPS,
    **SPACE_GROUPS,
    **MOVING_GROUPS,
    **NODE_GROUPS,
    **PROJECT_GROUPS,
    **DOCTOR_GROUPS,
    **EDGE_GROUPS,
    **ENGINE_GROUPS,
    **INSTALL_GROUPS,
    **LAPSE_GROUPS,
    **RECEIPT_GROUPS,
    **EXCHANGE_GROUPS,
    **LINK_GROUPS,
    **SCREEN_GROUPS,
    **SECRET_GROUPS,
    **SEARCH_GROUPS,
    **MESH_CLI_GROUPS,
    **MESSAGE_GROUPS,
    **SESSION_GROUPS,
    **SIMULATION_GROUPS,
}

MUTANTS = [
    Mutant(group, number, change)
    for group, changes in GROUPS.items()
    for number, change in enumerate(changes, 1)
]
