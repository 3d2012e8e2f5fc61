"""Sabotages of what is seen of a mesh from outside: the doctor's checks of machines and copies."""

from __future__ import annotations

from tests.sabotage.change import Change
from tests.sabotage.doctor_mutants import case

FORKS = "kioku/doctor/forks.py"
MESH = "kioku/doctor/mesh.py"
NODE = "kioku/doctor/node.py"
CLOCK = "kioku/clock_repair.py"
PUBLISHING = "kioku/node/publishing.py"

ENGINE_TESTS = "tests/unit/node/test_engine.py"
HELD_TESTS = "tests/unit/test_held_retraction.py"

EDGE_GROUPS: dict[str, list[Change]] = {
    "forks": [
        Change(
            "a log with two ends passes",
            FORKS,
            "HAVING count(*) > 1 ORDER",
            "HAVING count(*) > 2 ORDER",
            case("forks-a_store_that_was_copied"),
        ),
        Change(
            "a successor settles a fork that is written on",
            FORKS,
            "if successors.get(fork.log_id, 0) <= fork.newest]",
            "if fork.log_id not in successors]",
            case("forks-a_copy_that_was_not_noticed_by_its_own_side"),
        ),
        Change(
            "only the first successor counts",
            FORKS,
            "= max(began.get(parent.log_id, 0), hlc)",
            "= began.get(parent.log_id, hlc)",
            case("forks-a_copy_that_was_not_noticed_by_its_own_side"),
        ),
        Change(
            "a fork of our own is told as another's",
            FORKS,
            "hlc or 0, bool(own))",
            "hlc or 0, False)",
            case("forks-a_disk_that_was_set_back"),
        ),
    ],
    "retract-held": [
        Change(
            "everybody's waiting events are taken back",
            CLOCK,
            "WHERE (l.name = :name OR",
            "WHERE (:name = :name OR",
            HELD_TESTS,
        ),
        Change(
            "what was taken back is taken back again",
            CLOCK,
            'r.hash = e.hash) ORDER BY e.hlc"""',
            'r.hash = e.key) ORDER BY e.hlc"""',
            HELD_TESTS,
        ),
        Change(
            "what a healthy machine of the same name wrote is taken back too",
            CLOCK,
            "    if len(logs) > 1:\n",
            "    if False:\n",
            HELD_TESTS,
        ),
        Change(
            "nobody can name one of two machines that are called alike",
            CLOCK,
            'log = f"{name.upper()}*" if _LOG',
            'log = f"{name}*" if _LOG',
            HELD_TESTS,
        ),
        Change(
            "a dry run takes back",
            "kioku/memory/sharing.py",
            "                held = clock_repair.find_held(reading, name)",
            "                held = clock_repair.find_held(reading, name)[:1]",
            HELD_TESTS,
        ),
        Change(
            "the command asks nobody",
            "kioku/cli/doctor.py",
            "        found = memory.retract_held(arguments.retract_held, dry_run=True)",
            "        return memory.retract_held(arguments.retract_held)",
            "tests/integration/test_clock_repair.py -k machine_that_is_gone",
        ),
    ],
    "mesh-doctor": [
        Change(
            "a hub that everybody reaches passes",
            MESH,
            "    if not config.exposed:\n",
            "    if True:\n",
            case("exposure-a_hub_that_everybody_reaches"),
        ),
        Change(
            "a hub that is off passes",
            MESH,
            "        problems[endpoint] = error.strerror or",
            "        problems[endpoint + str(error)] = error.strerror or",
            case("hubs-a_hub_that_is_off"),
        ),
        Change(
            "a leader that was stopped is told as none",
            NODE,
            "        yield _silent(error)\n",
            "        error.args = ()\n",
            case("node-a_leader_that_was_stopped"),
        ),
        Change(
            "what a store fails with under its node is not told",
            NODE,
            'problem = engine_problem or (space.problem if space else "") or status.problem',
            'problem = (space.problem if space else "") or status.problem',
            case("node-a_store_that_fails_under_its_node"),
        ),
        Change(
            "who waits for ever to be told a space is well",
            NODE,
            'space.state == "joining" and status.routers',
            "False and status.routers",
            case("router-a_router_behind_which_no_hub_names_a_space"),
        ),
        Change(
            "a spoke that reaches no hub passes",
            NODE,
            "if status.is_cut_off:",
            "if False:",
            case("node-a_hub_that_is_frozen"),
        ),
        Change(
            "a plain router passes",
            NODE,
            "if one not in engine.identities]",
            "if one in engine.identities]",
            case("router-a_router_that_keeps_nothing"),
        ),
        Change(
            "a plain router beside a hub is complained of",
            NODE,
            'if status.role == "spoke" and strangers and len(strangers) == len(status.routers):',
            'if status.role == "spoke" and strangers:',
            case("router-a_router_that_keeps_nothing"),
        ),
        Change(
            "whoever was not heard of late must upgrade too",
            NODE,
            "if peer.is_reachable and peer.version not in",
            "if peer.version not in",
            case("versions-a_peer_that_is_newer"),
        ),
        Change(
            "10.0 is older than 9.9",
            NODE,
            "[int(number) for number in re.findall",
            "[number for number in re.findall",
            case("versions-a_peer_that_is_newer"),
        ),
        Change(
            "a node that was not started anew passes",
            NODE,
            "    if status.version != version:\n",
            "    if False:\n",
            case("versions-a_node_that_was_not_started_anew"),
        ),
        Change(
            "a clock that is behind passes",
            NODE,
            "if abs(offset) > OFFSET_MS_MAX]",
            "if offset > OFFSET_MS_MAX]",
            case("offsets-our_own_clock_is_ahead"),
        ),
        Change(
            "our own clock is never to blame",
            NODE,
            "is_ours = len(apart) == len(heard) > 1",
            "is_ours = len(apart) != len(heard) > 1",
            case("offsets-our_own_clock_is_ahead"),
        ),
        Change(
            "a log that is refused passes",
            NODE,
            "for peer in peers for refused in peer.refused]",
            "for peer in peers for refused in peer.refused[:0]]",
            case("refused-a_log_that_cannot_be_taken"),
        ),
    ],
    "newcomers": [
        Change(
            "a hub lets a newcomer wait",
            PUBLISHING,
            "0 if self._is_hub else int(",
            "1 + int(",
            ENGINE_TESTS,
        ),
    ],
    "leaving": [
        Change(
            "a node that ends leaves a dial behind",
            "kioku/node/connecting.py",
            "            self._thread.join(min(deadline_s, LEAVE_S))",
            "            pass",
            "tests/unit/test_node_connecting.py",
        ),
        Change(
            "an interpreter is taken apart while a dial comes back",
            "kioku/node/connecting.py",
            "LEAVE_S: Final = 1.2",
            "LEAVE_S: Final = 0.5",
            "tests/unit/test_node_connecting.py",
        ),
    ],
}
