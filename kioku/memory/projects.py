"""The projects of a memory: which there are, and giving one another name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kioku.log.event import make_key
from kioku.memory.handle import Handle
from kioku.secrets import refuse_in_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from kioku.memory.naming import Writer
    from kioku.memory.renaming import Move
    from kioku.memory.results import Project

    Progress = Callable[[int, int], object]


class Projects(Handle):
    """Listing, renaming, merging and aliasing projects."""

    def projects(self) -> list[Project]:
        """Give the projects that have observations or several names, the latest change first.

        Cost: grows with the store, some 50 ms at 100,000.
        """
        from kioku.memory import renaming

        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            return renaming.listed(reading, now_ms)

    def rename_project(
        self, old: str, new: str, *, dry_run: bool = False, progress: Progress | None = None
    ) -> int:
        """Give a project another name; its old name finds it too from now on.

        So what another machine still saves under the old name is found under the new one. Doing it
        again does the rest of what was interrupted. No edit made elsewhere meanwhile is lost to it.

        Args:
            old: any name of the project.
            new: the name that it shall go by.
            dry_run: only count.
            progress: called with (done, total) after each transaction.

        Returns:
            How many observations were edited, or would be.

        Raises:
            NotFoundError: if there is no project ``old``.
            InvalidArgumentError: if there is another project ``new``: merge them.
        """
        from kioku.memory import renaming

        now_ms = self.now_ms()
        self._check_name("new", new)
        with self._replica.reading(now_ms=now_ms) as reading:
            move = renaming.plan_rename(reading, old, new, now_ms)
        return move.total if dry_run else self._carry_out(move, progress)

    def merge_projects(
        self,
        projects: Iterable[str],
        into: str,
        *,
        dry_run: bool = False,
        progress: Progress | None = None,
    ) -> int:
        """Make several projects one, which goes by the name of ``into``; as of a rename.

        Returns:
            How many observations were edited, or would be.

        Raises:
            NotFoundError: if one of them is no project.
            InvalidArgumentError: if ``projects`` is empty, or a lone string.
        """
        from kioku.memory import renaming

        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            move = renaming.plan_merge(reading, projects, into, now_ms)
        return move.total if dry_run else self._carry_out(move, progress)

    def alias_project(self, name: str, of: str, *, dry_run: bool = False) -> bool:
        """Say that ``name`` is another name of the project ``of``; no observation is edited.

        What is saved under either is found under both. If ``name`` was another name of some other
        project, it is ``of``'s from now on.

        Returns:
            Whether that is new.

        Raises:
            InvalidArgumentError: if both are the same.
        """
        from kioku.memory import naming, renaming

        renaming.check_alias(name, of)
        self._check_name("name", name)
        self._check_name("of", of)
        if dry_run:
            now_ms = self.now_ms()
            with self._replica.reading(now_ms=now_ms) as reading:
                return naming.read_names(reading, now_ms).next_of(name) != of
        with self._replica.transaction(now_ms=self.now_ms()) as transaction:
            return naming.declare(transaction, name, of, writer=self._writer())

    def unalias_project(self, name: str, *, dry_run: bool = False) -> None:
        """Let ``name`` be a project of its own again.

        Raises:
            NotFoundError: if it is not another name of any project.
        """
        from kioku.memory import naming

        now_ms = self.now_ms()
        with self._replica.reading(now_ms=now_ms) as reading:
            naming.require_alias(reading, name, now_ms)
        if not dry_run:
            with self._replica.transaction(now_ms=now_ms) as transaction:
                naming.withdraw(transaction, name, now_ms)

    def _check_name(self, argument: str, name: object) -> None:
        if isinstance(name, str):
            refuse_in_name(argument, name, self._settings.secrets)

    def _writer(self) -> Writer:
        from kioku.memory.naming import Writer

        now_ms = self.now_ms()
        return Writer(self._author, now_ms, make_key(self._random_bytes(10), now_ms))

    def _carry_out(self, move: Move, progress: Progress | None) -> int:
        """The aliases first, so that everything is found whenever this is interrupted."""
        from kioku.memory import naming, renaming

        for name in move.aliases:
            with self._replica.transaction(now_ms=self.now_ms()) as transaction:
                naming.declare(transaction, name, move.to, writer=self._writer())
        done = 0
        while True:
            now_ms = self.now_ms()
            with self._replica.transaction(now_ms=now_ms) as transaction:
                count = renaming.move_some(transaction, move, now_ms)
            if not count:
                return done
            done += count
            if progress is not None:
                progress(done, max(done, move.total))
