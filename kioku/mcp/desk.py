"""A desk: what one connection has. Who speaks, in which project, over which spaces; opened lazily.

The rule this module guards: **a client gets what it was started for and nothing else**. It reaches
the spaces that its start named (the configured one, if none), and a private one only by name. Who
it is comes from, the first that says so:

    environment > config file > clientInfo > launcher > default

clientInfo comes before the launcher, since a launcher's variables are inherited: an agent that was
started in another one's terminal has them too. Any thread may use a desk.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from kioku.config import ALL_SPACES, load_settings, store_path
from kioku.errors import NotFoundError
from kioku.log.glance import is_private_store
from kioku.mcp.speaker import NOBODY, speaker_of
from kioku.memory.opening import create_directory, open_store
from kioku.memory.spaces import SPACES_MAX, names_of
from kioku.project.detection import Present, detect

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from kioku.config import Settings
    from kioku.mcp.speaker import Speaker
    from kioku.memory.facade import Memory

_TOLD_BY_OTHERS: Final = ("default", "launcher")  # sources that a client's own name overrides
_reporter: ContextVar[Callable[[int, int], object] | None] = ContextVar("reporter", default=None)


class Desk:
    """What the tools of one connection work with; ``close`` ends it.

    ``spaces`` are the names given at the start. ``directory`` is where the client works, the
    process's working directory unless told.
    """

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        spaces: Sequence[str] = (),
        directory: str = os.curdir,
    ) -> None:
        self._environ = os.environ if environ is None else environ
        self._named = tuple(dict.fromkeys(spaces))
        self._places = [directory]
        self._speaker: Speaker = NOBODY
        self._lock = threading.RLock()
        self._opened = ExitStack()
        self._memories: dict[str, Memory] = {}
        self._settings: Settings | None = None
        self._project: Present | None = None

    # -- who

    def introduce(self, client_name: str) -> None:
        """Take the name that the client gives of itself; the first one that it gives stays."""
        with self._lock:
            if self._speaker == NOBODY and not self._memories:
                self._speaker = speaker_of(client_name)
                self._settings = None  # decided again, with what is known now

    @property
    def settings(self) -> Settings:
        """Who speaks and where things lie, as decided for this connection.

        Raises:
            ConfigError: if a setting cannot be used.
        """
        with self._lock:
            if self._settings is None:
                named = [name for name in self._named if name != ALL_SPACES]
                loaded = load_settings(self._environ, space=named[0] if named else None)
                self._settings = _spoken(loaded, self._speaker)
            return self._settings

    # -- where

    @property
    def spaces(self) -> tuple[str, ...]:
        """The names of the spaces that can be reached, the one that saves go to first."""
        settings = self.settings
        names = [settings.space, *(name for name in self._named if name != ALL_SPACES)]
        if ALL_SPACES in self._named:
            names += [name for name in names_of(settings) if not self._is_private(name)]
        return tuple(dict.fromkeys(names))[:SPACES_MAX]

    def memory(self, space: str = "") -> Memory:
        """Give an open memory: of a space by its name, or the one that saves go to.

        Raises:
            NotFoundError: if this connection does not reach such a space.
            StoreError: if its file cannot be opened.
        """
        with self._lock:
            settings = self.settings
            name = space or settings.space
            if name not in self._memories:
                if name not in self.spaces:
                    known = ", ".join(self.spaces)
                    raise NotFoundError(
                        f"space {name!r} is not reached from here; name one of {known}"
                    )
                self._memories[name] = self._open(settings, name)
            return self._memories[name]

    def _open(self, settings: Settings, name: str) -> Memory:
        create_directory(settings.state_dir)
        memory = open_store(store_path(settings.state_dir, name), settings, space=name)
        self._opened.callback(memory.close)
        # One session for all spaces of a connection.
        self._settings = settings._replace(session_id=memory.session_id)
        return memory

    def _is_private(self, name: str) -> bool:
        return is_private_store(store_path(self.settings.state_dir, name))

    # -- in which project

    @property
    def project(self) -> str:
        """The project that the client works in; ``""`` if nothing says so."""
        return self.present.name

    @property
    def present(self) -> Present:
        """The project that the client works in, and how that is known."""
        with self._lock:
            if self._project is None:
                self._project = self._present()
            return self._project

    def _present(self) -> Present:
        settings = self.settings
        if settings.project:
            return Present(settings.project, settings.sources["project"])
        if not settings.detect_project:
            return Present("", f"{settings.sources['detect_project']}: detect_project is false")
        home = self._environ.get("HOME") or os.path.expanduser("~")
        found = [detect(place, home=home) for place in self._places]
        return next((present for present in found if present.name), found[0])

    # -- how far

    def progress(self, done: int, total: int) -> None:
        """Tell the client how far the call is that runs in this thread."""
        report = _reporter.get()
        if report is not None:
            report(done, total)

    def close(self) -> None:
        """Close the stores; safe to call twice."""
        with self._lock:
            self._opened.close()
            self._memories.clear()


def reporting(report: Callable[[int, int], object]) -> Any:
    """Have ``Desk.progress`` call ``report`` in this context; what it gives is for ``reset``."""
    return _reporter.set(report)


def _spoken(settings: Settings, speaker: Speaker) -> Settings:
    """The settings with the client's own name where nobody set one on purpose."""
    sources = dict(settings.sources)
    changed: dict[str, Any] = {}
    for name, value in speaker._asdict().items():
        if value and sources[name].split(" ")[0] in _TOLD_BY_OTHERS:
            changed[name] = value
            sources[name] = "clientInfo"
    return settings._replace(**changed, sources=sources) if changed else settings
