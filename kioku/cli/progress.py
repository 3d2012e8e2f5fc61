"""Long work: a bar while somebody watches, and a clean end however it ends.

``with Work("deleting", kept="…") as work: … work(done, total)``. Three rules are guarded here:

- Nothing is drawn unless standard error is a terminal, and nothing before half a second is over, so
  short work neither flickers nor loads rich. The bar is drawn by a thread, so it moves also while
  one long statement runs; it is erased at the end, and the cursor is never hidden, so that not even
  ``kill -9`` leaves a terminal without one.
- An interruption (Ctrl-C) leaves with one line that says what was kept.
- A request to end (SIGTERM, or SIGHUP when the terminal goes away) unwinds as an exception does, so
  that a half-written file is removed; the exit code is the shell's, 128 and the signal.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Self

from kioku.cli import render

if TYPE_CHECKING:
    from types import FrameType, TracebackType

    from rich.progress import Progress, ProgressColumn, TaskID

DELAY_S = 0.5
REFRESH_S = 0.1
WIDTH_FOR_TIME = 60  # narrower, the time that is left would crowd out the bar
BAR_WIDTH_MIN, BAR_WIDTH_MAX = 4, 40
# The words and counts, and room for the `^C` that a terminal shows where the cursor is: at the end
# of a full line it would go to the next, and that one would be erased in place of the bar.
BESIDE_BAR = 36


class Interrupted(KeyboardInterrupt):
    """Somebody stopped the work; ``kept`` says what became of what was done. The cursor stands at
    the beginning of a line if a bar was erased there.
    """

    def __init__(self, kept: str, *, is_line_empty: bool) -> None:
        super().__init__(kept)
        self.kept = kept
        self.is_line_empty = is_line_empty


_shown: list[Work] = []


def report(what: str, done: int, total: int | None = None, *, is_bytes: bool = False) -> None:
    """Say how far the work is that the command shows, if it shows any; from anywhere within it."""
    if _shown:
        _shown[-1].what, _shown[-1].is_bytes = what, is_bytes
        _shown[-1](done, total)


class Work:
    """One piece of long work; call it with how far it is, as often as you like.

    ``kept`` says what an interruption leaves, and may name ``{done:,}`` and ``{total:,}``. Where
    ``is_bytes`` these are shown as megabytes. Without a total only the count is shown.
    """

    def __init__(self, what: str, *, kept: str = "", is_bytes: bool = False) -> None:
        self.what = what
        self.done = 0
        self.total: int | None = None
        self._kept = kept
        self.is_bytes = is_bytes
        self._bar: _Bar | None = None
        self._handlers: dict[int, Any] = {}

    def __call__(self, done: int, total: int | None = None) -> None:
        """Say how far it is."""
        self.done, self.total = done, total

    def __enter__(self) -> Self:
        self._handlers = _unwind_on_signals()
        if render.is_error_watched():
            self._bar = _Bar(self)
        _shown.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        _shown.remove(self)
        was_drawn = self._bar is not None and self._bar.close()
        _restore(self._handlers)
        if kind is KeyboardInterrupt:
            kept = self._kept.format(done=self.done, total=self.total or 0)
            raise Interrupted(kept, is_line_empty=was_drawn) from error

    def count_text(self) -> str:
        """How far it is, in a few words."""
        if self.is_bytes:
            done = f"{self.done / 1e6:,.1f}"
            return f"{done} MB" if self.total is None else f"{done} of {self.total / 1e6:,.1f} MB"
        if self.total is None:
            return f"{self.done:,}" if self.done else ""
        return f"{self.done:,} of {self.total:,}"


class _Bar:
    """Draws a ``Work`` on standard error from half a second on, until it is closed."""

    def __init__(self, work: Work) -> None:
        from threading import Event, Thread

        self._work = work
        self._is_over = Event()
        self._was_drawn = False
        self._thread = Thread(target=self._draw, name="kioku-progress", daemon=True)
        self._thread.start()

    def close(self) -> bool:
        """Erase it; whether there was anything to erase."""
        self._is_over.set()
        self._thread.join()
        return self._was_drawn

    def _draw(self) -> None:
        if self._is_over.wait(DELAY_S):
            return
        bar, task = _rich_bar(self._work.what)
        self._was_drawn = True
        with bar:
            while not self._is_over.wait(REFRESH_S):
                work = self._work
                text = work.count_text()
                bar.update(
                    task, description=work.what, completed=work.done, total=work.total, count=text
                )
                bar.refresh()


def _rich_bar(what: str) -> tuple[Progress, TaskID]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    class _Console(Console):
        """One that leaves the cursor alone."""

        def show_cursor(self, show: bool = True) -> bool:  # noqa: ARG002
            return False

    is_coloured = render.is_coloured()
    console = _Console(
        file=sys.stderr,
        force_terminal=True,
        color_system="standard" if is_coloured else None,
        no_color=not is_coloured,
        markup=False,
        emoji=False,
        highlight=False,
    )
    columns: list[ProgressColumn] = [
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=max(BAR_WIDTH_MIN, min(BAR_WIDTH_MAX, console.width - BESIDE_BAR))),
        TextColumn("{task.fields[count]}", markup=False),
    ]
    if console.width >= WIDTH_FOR_TIME:
        columns.append(TimeRemainingColumn())
    bar = Progress(
        *columns,
        console=console,
        auto_refresh=False,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    return bar, bar.add_task(what, total=None, count="")


def _unwind_on_signals() -> dict[int, Any]:
    """Let a request to end raise SystemExit; gives the handlers that were there before."""
    import signal
    from threading import current_thread, main_thread

    def unwind(number: int, _frame: FrameType | None) -> None:
        raise SystemExit(128 + number)

    if current_thread() is not main_thread():
        return {}
    return {
        number: signal.signal(number, unwind)
        for number in (signal.SIGTERM, signal.SIGHUP)
        if signal.getsignal(number) == signal.SIG_DFL  # `nohup` ignores it: so do we
    }


def _restore(handlers: dict[int, Any]) -> None:
    import signal

    for number, handler in handlers.items():
        signal.signal(number, handler)
