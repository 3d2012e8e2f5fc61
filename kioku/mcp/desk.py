"""A desk: what one connection has. Who speaks, in which project, over which spaces; opened lazily.

The rule this module guards: **a client gets what it was started for and nothing else**. It reaches
the spaces that its start named (the configured one, if none), and a private one only by name. Who
it is comes from, the first that says so:

    environment > config file > clientInfo > launcher > default

clientInfo comes before the launcher, since a launcher's variables are inherited: an agent that was
started in another one's terminal has them too (docs/adr/0085). Any thread may use a desk. Memories
and what they stand on are imported when the first is opened: the client waits for the handshake.
"""

from __future__ import annotations

import os
import threading
from contextlib import ExitStack, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final

from kioku.config import ALL_SPACES, load_settings, store_path
from kioku.errors import KiokuError, NotFoundError, ReplicaClosedError, StoreAccessError
from kioku.mcp.speaker import NOBODY, speaker_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from types import TracebackType
    from typing import Self

    from kioku.config import Settings
    from kioku.mcp.mesh import Mesh, MeshState
    from kioku.mcp.speaker import Speaker
    from kioku.memory.facade import Memory
    from kioku.project.detection import Present

_TOLD_BY_OTHERS: Final = ("default", "launcher")  # sources that a client's own name overrides
_WORKSPACE_VARIABLES: Final = ("CLAUDE_PROJECT_DIR",)  # what clients say of where they work
CLOSING_S: Final = 2.0  # what a node takes at most to publish what is left

_reporter: ContextVar[Callable[[int, int], object] | None] = ContextVar("reporter", default=None)


class Desk:
    """What the tools of one connection work with; ``close``, or leaving its ``with``, ends it."""

    def __init__(
        self,
        environ: Mapping[str, str] | None = None,
        *,
        spaces: Sequence[str] = (),
        directory: str = os.curdir,
    ) -> None:
        """``spaces`` are the names given at the start; ``directory`` is where the client works."""
        self._environ = os.environ if environ is None else environ
        self._named = tuple(dict.fromkeys(spaces))
        said = (self._environ.get(name) for name in _WORKSPACE_VARIABLES)
        self._places = [directory, *(place for place in said if place and os.path.isabs(place))]
        self._speaker: Speaker = NOBODY
        self._lock = threading.RLock()
        self._opened = ExitStack()
        self._memories: dict[str, Memory] = {}
        self._mesh: Mesh | None = None
        self._settings: Settings | None = None
        self._project: Present | None = None
        self._is_introduced = self._has_begun = self._is_closed = False

    # -- its life

    def check(self) -> None:
        """Refuse what can never work, before anybody waits for it.

        Raises:
            ConfigError: if a setting, or a name of a space, cannot be used.
        """
        for name in self._named:
            if name != ALL_SPACES:
                store_path(self.settings.state_dir, name)
        assert self.settings.space != ALL_SPACES, "load_settings refuses it"

    def begin(self) -> None:
        """Start in the background what will be asked for: the store, the mesh where there is one.

        Safe to call twice. What goes wrong is told by the call that needs it.
        """
        if self._has_begun or self._is_closed:
            return
        self._has_begun = True
        with self._lock, suppress(KiokuError):
            if os.path.exists(self.settings.store_path):
                threading.Thread(target=self._warm, name="kioku-open", daemon=True).start()
            if self.settings.mode != "local":
                self._node().begin()

    def _warm(self) -> None:
        with suppress(KiokuError):
            self.memory().search("", limit=1)

    @property
    def closing_s(self) -> float:
        """How long ``close`` may take besides the stores."""
        return 0.0 if self._mesh is None else CLOSING_S

    def close(self) -> None:
        """Leave the mesh and close the stores; safe to call twice."""
        mesh = self._mesh
        if mesh is not None:
            mesh.end(CLOSING_S)
        with self._lock:
            self._is_closed = True
            self._opened.close()
            self._memories.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # -- who

    def introduce(self, client_name: str) -> None:
        """Take the name that the client gives of itself; the first one that it gives stays.

        Waits for nobody, for the loop calls it: once something is being opened it is too late.
        """
        if self._is_introduced or not self._lock.acquire(blocking=False):
            return
        try:
            self._is_introduced = True
            if not self._memories:
                self._speaker = speaker_of(client_name)
                self._settings = None  # decided again, with what is known now
        finally:
            self._lock.release()

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
            from kioku.memory.spaces import spaces_of

            names += [space.name for space in spaces_of(settings) if not space.is_private]
        return tuple(dict.fromkeys(names))

    def memory(self, space: str = "") -> Memory:
        """Give an open memory: of a space by its name, or the one that saves go to.

        Raises:
            NotFoundError: if this connection does not reach such a space.
            StoreError: if its file cannot be opened.
        """
        with self._lock:
            if self._is_closed:
                raise ReplicaClosedError("the connection has ended; connect again")
            settings = self.settings
            name = space or settings.space
            self._forget_if_gone(name)
            if name not in self._memories:
                if name not in (known := self.spaces):
                    raise NotFoundError(
                        f"space {name[:64]!r} is not reached from here; use one of"
                        f" {', '.join(known)}, or start the server with --space"
                    )
                self._memories[name] = self._open(settings, name)
            return self._memories[name]

    def _forget_if_gone(self, name: str) -> None:
        """Open a store anew whose file was replaced or deleted: nobody else is in that one."""
        if name in self._memories:
            try:
                self._memories[name].replica.check_file()
            except StoreAccessError:
                del self._memories[name]  # calls that are in it end there; ``close`` closes it

    def _open(self, settings: Settings, name: str) -> Memory:
        from kioku.memory.opening import create_directory, open_store

        create_directory(settings.state_dir)
        memory = open_store(store_path(settings.state_dir, name), settings, space=name)
        self._opened.callback(memory.close)
        # One session for all spaces of a connection.
        self._settings = settings._replace(session_id=memory.session_id)
        return memory

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

    @property
    def needs_place(self) -> bool:
        """Whether it would help to know where the client works: nothing said so yet."""
        settings = self.settings
        is_open = settings.detect_project and not settings.project
        return is_open and not self.present.name and not self.present.is_none

    def place(self, directories: Sequence[str]) -> None:
        """Take what the client says of where it works, for want of anything surer."""
        with self._lock:
            self._places += [place for place in directories if os.path.isabs(place)]
            self._project = None

    def _present(self) -> Present:
        from kioku.project.detection import Present, detect

        settings = self.settings
        if settings.project:
            return Present(settings.project, settings.sources["project"])
        if not settings.detect_project:
            return Present("", f"{settings.sources['detect_project']}: detect_project is false")
        home = self._environ.get("HOME") or os.path.expanduser("~")
        found = [detect(place, home=home) for place in self._places]
        return next((present for present in found if present.name or present.is_none), found[0])

    # -- with whom

    def mesh(self) -> MeshState:
        """How the space that saves go to stands with other machines; takes a second at most."""
        return self._node().state(self.settings, self.settings.store_path)

    def _node(self) -> Mesh:
        with self._lock:
            if self._mesh is None:
                from kioku.mcp.mesh import Mesh

                self._mesh = Mesh(self.memory)
            return self._mesh

    # -- how far

    def progress(self, done: int, total: int) -> None:
        """Tell the client how far the call is that runs in this thread."""
        report = _reporter.get()
        if report is not None:
            report(done, total)


def reporting(report: Callable[[int, int], object]) -> None:
    """Have ``Desk.progress`` call ``report`` in this context, and in threads that it starts."""
    _reporter.set(report)


def _spoken(settings: Settings, speaker: Speaker) -> Settings:
    """The settings with the client's own name where nobody set one on purpose."""
    sources = dict(settings.sources)
    changed: dict[str, Any] = {}
    for name, value in speaker._asdict().items():
        if value and sources[name].split(" ")[0] in _TOLD_BY_OTHERS:
            changed[name] = value
            sources[name] = "clientInfo"
    return settings._replace(**changed, sources=sources) if changed else settings
