"""What the node that runs tells of itself and of its peers: stopped, apart, of another version.

Only whoever runs a store's node knows whom it reaches, so it is asked, as ``kioku peers`` does. No
answer is no fault: a machine need not run one all the time.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from kioku.doctor.report import Check
from kioku.errors import KiokuError, NodeSilentError
from kioku.node.node import ask_leader
from kioku.wording import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from kioku.node.statistics import EngineStatistics, PeerStatistics
    from kioku.node.status import NodeStatus

OFFSET_MS_MAX: Final = 10_000
"""Machines that set their clocks agree within a second; from a minute on, events are held."""
SHOWN_MAX: Final = 5


def check_node(path: str, version: str) -> Iterator[Check]:
    """Ask whoever runs the node of a store, and look at what it says. Waits a second at most."""
    try:
        status = ask_leader(path)
    except NodeSilentError as error:
        yield _silent(error)
        return
    except KiokuError as error:
        yield Check(
            "node", "warn", str(error), "end the node that runs, and start kioku serve anew"
        )
        return
    if status is None:
        yield Check("node", "pass", "none runs now; what is saved waits for kioku serve")
        return
    yield _check_state(path, status)
    space = status.space_at(path)
    if space is not None and space.engine is not None:
        yield from _check_engine(status, space.engine, version)
    elif space is not None and space.state == "joining" and status.routers:
        yield Check(
            "router",
            "warn",
            "it is reached, and no hub behind it says which space it has",
            "run kioku serve as a hub on a machine that is always on; or say which space it is:"
            " kioku init --mode spoke --connect ADDRESS --space NAME --force",
        )


def _silent(error: NodeSilentError) -> Check:
    who = f"process {error.pid}" if error.pid else "the process"
    act = f"kill -CONT {error.pid} if it was stopped, else kill" if error.pid else "end"
    return Check(
        "node",
        "warn",
        f"{who} runs the node and does not answer: what is saved is safe, and reaches nobody",
        f"{act} it; another process takes over within a second",
    )


def _check_state(path: str, status: NodeStatus) -> Check:
    space = status.space_at(path)
    engine_problem = space.engine.problem if space and space.engine else ""
    problem = engine_problem or (space.problem if space else "") or status.problem
    where = f"process {status.pid}, {status.role}, {status.transport}"
    if problem:
        return Check("node", "warn", f"{where}: {problem}", "do as it says; kioku status shows it")
    if status.is_cut_off:
        return Check(
            "node",
            "warn",
            f"{where}: no hub is reached; it is dialled again all the time",
            "see on the hub that kioku serve runs and was not stopped (Ctrl-Z): kioku status there",
        )
    return Check("node", "pass", where)


def _check_engine(status: NodeStatus, engine: EngineStatistics, version: str) -> Iterator[Check]:
    yield _check_router(status, engine)
    yield _check_versions(status, engine.peers, version)
    yield _check_offsets(engine.peers)
    yield _check_refused(engine.peers)


def _check_router(status: NodeStatus, engine: EngineStatistics) -> Check:
    strangers = [one for one in status.routers if one not in engine.identities]
    if status.role == "spoke" and strangers and len(strangers) == len(status.routers):
        return Check(
            "router",
            "warn",
            "the router is not a kioku replica: it keeps nothing, so machines that are never on"
            " at the same time never meet",
            "run kioku serve as a hub on a machine that is always on, and name it in connect"
            " (kioku init --mode spoke --connect ADDRESS --force)",
        )
    return Check("router", "pass", "what goes between machines is kept where it passes")


def _check_versions(status: NodeStatus, peers: Iterable[PeerStatistics], version: str) -> Check:
    if status.version != version:
        return Check(
            "versions",
            "warn",
            f"the node that runs is kioku {status.version}, and {version} is installed",
            "start kioku serve anew",
        )
    others = [peer for peer in peers if peer.is_reachable and peer.version not in ("", version)]
    if not others:
        return Check("versions", "pass", f"every machine that is reached runs kioku {version}")
    told = [f"{peer.name} runs kioku {peer.version}" for peer in others]
    newest = max([version, *(peer.version for peer in others)], key=_release)
    older = [peer.name for peer in others if _release(peer.version) < _release(newest)]
    here = ["this machine"] if version != newest else []
    return Check(
        "versions",
        "warn",
        f"{_listed(told)}, and this machine {version}",
        f"upgrade {_listed(here + older)} to {newest}: pip install --upgrade kioku-log, and start"
        " kioku serve anew",
    )


def _release(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _check_offsets(peers: Iterable[PeerStatistics]) -> Check:
    heard = [(peer, peer.offset_ms) for peer in peers if peer.offset_ms is not None]
    apart = [(peer, offset) for peer, offset in heard if abs(offset) > OFFSET_MS_MAX]
    if not apart:
        return Check("offsets", "pass", f"{counted(len(heard), 'clock')} agree with this one")
    told = [
        f"{peer.name} is {abs(offset) // 1000:,} s {'ahead' if offset > 0 else 'behind'}"
        for peer, offset in apart
    ]
    is_ours = len(apart) == len(heard) > 1
    whose = "this machine's, most likely, since it differs from all" if is_ours else "the wrong one"
    return Check(
        "offsets",
        "warn",
        f"clocks differ: {_listed(told)}",
        f"set {whose}, and keep it set (chrony: docs/operations.md); what was stamped ahead is"
        " taken back by kioku doctor --fix-clock there",
    )


def _check_refused(peers: Iterable[PeerStatistics]) -> Check:
    told = [f"{peer.name} offers {refused}" for peer in peers for refused in peer.refused]
    if not told:
        return Check("refused", "pass", "every log that was offered is taken")
    return Check(
        "refused",
        "warn",
        f"logs cannot be taken: {_listed(told)}",
        "upgrade kioku here if they are of a newer one; else run kioku doctor --deep on the machine"
        " that offers them, and on the one that writes them",
    )


def _listed(told: list[str]) -> str:
    more = [f"{len(told) - SHOWN_MAX:,} more"] if len(told) > SHOWN_MAX else []
    return "; ".join(told[:SHOWN_MAX] + more)
