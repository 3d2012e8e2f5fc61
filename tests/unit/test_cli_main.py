"""The last resort: what no part of kioku foresaw is one line and an exit code, no traceback."""

from __future__ import annotations

from typing import NoReturn

import pytest

from kioku.cli import main, verbs
from kioku.errors import (
    AmbiguousIdError,
    BadSealError,
    ConfigError,
    InvalidArgumentError,
    KiokuError,
    NotFoundError,
    StoreBusyError,
    StoreFullError,
    TooLargeError,
)


def failing(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Make every verb raise ``error``."""

    def load(name: str) -> NoReturn:
        raise error

    monkeypatch.setattr(verbs, "load", load)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("x"), 2),
        (InvalidArgumentError("x"), 2),
        (TooLargeError("content", 2, 1), 2),
        (NotFoundError("x"), 1),
        (AmbiguousIdError("abcdef", 2), 1),
        (BadSealError("x"), 1),
        (StoreBusyError("x"), 1),
        (StoreFullError("x"), 1),
        (OSError(28, "No space left on device"), 1),
        (KeyboardInterrupt(), 130),
    ],
    ids=lambda value: type(value).__name__,
)
def test_every_error_has_its_exit_code(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
) -> None:
    failing(monkeypatch, error)
    assert main(["list"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "Traceback" not in shown.err
    if isinstance(error, KiokuError | OSError):
        assert shown.err.startswith("kioku: ")


def test_a_defect_asks_to_be_reported(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("by\nzero"))
    assert main(["list"]) == 1
    first, second = capsys.readouterr().err.splitlines()
    assert first == "kioku: unexpected ZeroDivisionError: by zero"
    assert "report" in second


def test_a_defect_shows_its_place_to_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    failing(monkeypatch, ZeroDivisionError("x"))
    monkeypatch.setenv("KIOKU_DEBUG", "1")
    assert main(["list"]) == 1
    assert "Traceback" in capsys.readouterr().err
