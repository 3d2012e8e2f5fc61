"""What every test gets: an environment of its own, and a Hypothesis profile.

No test sees the settings, the state or the launcher of the person who runs it. Profiles: ``dev`` is
the default and draws the same examples each time, so that a red test stays red; ``sim`` is the long
run (``make sim SEED=n``), which looks for new ones and prints what replays them.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from pathlib import Path

# Deadlines are off everywhere: a shared machine makes any timed assertion a lie.
_SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large)

settings.register_profile(
    "dev",
    max_examples=100,
    stateful_step_count=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.register_profile(
    "sim",
    max_examples=2_000,
    stateful_step_count=60,
    deadline=None,
    print_blob=True,
    suppress_health_check=_SLOW_IS_FINE,
)
settings.load_profile("dev")

# Prefixes and names through which a person, an older kioku or an agent's launcher says something.
_PREFIXES = ("KIOKU_", "MESH_MEM_", "ZENOH_", "XDG_", "CLAUDE", "CODEX_", "GEMINI_", "CURSOR_")
_NAMES = ("AI_AGENT", "NO_COLOR", "FORCE_COLOR", "COLUMNS", "LINES")


@pytest.fixture(autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home directory; the state lies in ``home/state``, the config in ``home/config``."""
    directory = tmp_path_factory.mktemp("home")
    for name in list(os.environ):
        if name.startswith(_PREFIXES) or name in _NAMES:
            monkeypatch.delenv(name)
    monkeypatch.delenv("PYTHONDONTWRITEBYTECODE", raising=False)  # hundreds of processes start
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(directory / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / "state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(directory / "cache"))
    monkeypatch.setenv("KIOKU_STATE_DIR", str(directory / "state"))
    monkeypatch.setenv("KIOKU_CONFIG", str(directory / "config" / "config.toml"))
    return directory
