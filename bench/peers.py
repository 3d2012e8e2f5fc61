"""The peers' throw-away environments: one a peer, beside the checkout's own, ignored by git.

``python -m bench.peers`` installs those that are absent; removing the folder removes them all. A
peer that is not there, or will not install, is reported as not measured and fails nothing.
"""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = Path(os.environ.get("KIOKU_BENCH_PEERS") or ROOT / ".venv-bench-peers")

MESH_03 = "kioku-mesh==0.3.0"
MESH_12 = "kioku-mesh==1.2.0"
PEERS = (MESH_03, MESH_12, "eventsourcing", "loro", "pycrdt")

INSTALL_SECONDS_MAX = 600  # 1.2.0 brings some eighty packages; a stuck index should not stop a run


def peer_bin(peer: str) -> Path:
    """Return the folder of the peer's executables; it may not be there."""
    return FOLDER / peer.replace("==", "-") / "bin"


def peer_python(peer: str) -> Path | None:
    """Return the peer's interpreter, or None if the peer is not installed."""
    environment = peer_bin(peer).parent
    return peer_bin(peer) / "python" if (environment / ".installed").exists() else None


def install(peer: str) -> str | None:
    """Install a peer unless it is there; return why that failed, None if it is there now."""
    if peer_python(peer):
        return None
    environment = peer_bin(peer).parent
    try:
        venv.create(environment, with_pip=True, clear=True)
        subprocess.run(
            [peer_bin(peer) / "python", "-m", "pip", "install", "--quiet", peer],
            check=True,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS_MAX,
        )
    except subprocess.CalledProcessError as error:
        lines = (error.stderr or "").strip().splitlines()
        return lines[-1] if lines else str(error)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    (environment / ".installed").touch()
    return None


def install_all() -> None:
    """Install every peer, saying what happens to each."""
    for peer in PEERS:
        reason = install(peer)
        print(f"{peer}: {'there' if reason is None else 'NOT INSTALLED: ' + reason}")
        sys.stdout.flush()


def version(peer: str) -> str:
    """Return the installed version of a peer, "absent" if there is none."""
    python = peer_python(peer)
    if python is None:
        return "absent"
    name = peer.partition("==")[0]
    script = f"import importlib.metadata as m; print(m.version({name!r}))"
    found = subprocess.run([python, "-c", script], capture_output=True, text=True, check=False)
    return found.stdout.strip() or "unknown"


if __name__ == "__main__":
    install_all()
