"""Long work where nobody watches, and what it says when it is stopped."""

from __future__ import annotations

import signal
import threading

import pytest

from kioku.cli.progress import Interrupted, Work


def test_without_a_terminal_nothing_is_drawn_and_no_thread_is_started(
    capsys: pytest.CaptureFixture[str],
) -> None:
    before = threading.active_count()
    with Work("working") as work:
        work(1, 2)
        assert threading.active_count() == before
    assert capsys.readouterr() == ("", "")


def stop(work: Work) -> None:
    """Interrupt some work in the middle."""
    with work:
        work(1_234, 5_678)
        raise KeyboardInterrupt


def test_an_interruption_says_what_was_kept() -> None:
    with pytest.raises(Interrupted) as caught:
        stop(Work("working", kept="{done:,} of {total:,}"))
    assert caught.value.kept == "1,234 of 5,678"


def test_an_error_is_left_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), Work("working", kept="all"):
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("is_bytes", "done", "total", "text"),
    [
        (False, 0, None, ""),
        (False, 1_234, None, "1,234"),
        (False, 1_234, 5_678, "1,234 of 5,678"),
        (True, 1_500_000, None, "1.5 MB"),
        (True, 1_500_000, 2_000_000, "1.5 of 2.0 MB"),
    ],
)
def test_how_far_it_is(*, is_bytes: bool, done: int, total: int | None, text: str) -> None:
    work = Work("working", is_bytes=is_bytes)
    work(done, total)
    assert work.count_text() == text


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_request_to_end_unwinds_and_the_handler_is_put_back(number: int, code: int) -> None:
    before = signal.signal(number, signal.SIG_DFL)  # under nohup the tests ignore one of them
    try:
        with pytest.raises(SystemExit) as caught, Work("working"):
            signal.raise_signal(number)
        assert caught.value.code == code
        assert signal.getsignal(number) == signal.SIG_DFL
    finally:
        signal.signal(number, before)


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with Work("working"):
            assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_work_in_a_thread_touches_no_handler() -> None:
    before = signal.getsignal(signal.SIGTERM)
    found = []

    def run() -> None:
        with Work("working"):
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert found == [before]
