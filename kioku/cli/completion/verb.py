"""``completion``: the script that a shell reads once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from kioku.cli import render
from kioku.cli.parser import Verb, argument

if TYPE_CHECKING:
    from argparse import Namespace

SHELLS = ("bash", "zsh", "fish")


def script(shell: str) -> str:
    """The script of one of ``SHELLS``."""
    path = os.path.join(os.path.dirname(__file__), f"kioku.{shell}")
    with open(path, encoding="utf-8") as file:
        return file.read()


def _completion(arguments: Namespace) -> int:
    render.block(script(arguments.shell).rstrip("\n"))
    return 0


COMPLETION = Verb(
    name="completion",
    summary="Print what makes a shell complete kioku's words at Tab",
    description="""\
Print what makes a shell complete kioku's words at Tab: verbs, options, and what your store knows
(projects, tags, hosts, families, clients, sessions, spaces, ids with what they are about).

  bash  in ~/.bashrc:    eval "$(kioku completion bash)"
  zsh   in ~/.zshrc, after compinit:    eval "$(kioku completion zsh)"
  fish  once:    kioku completion fish > ~/.config/fish/completions/kioku.fish""",
    arguments=(argument("shell", metavar="SHELL", choices=SHELLS, help="bash, zsh or fish"),),
    examples=('eval "$(kioku completion bash)"',),
    run=_completion,
    output="The script.",
)

VERBS = {verb.name: verb for verb in (COMPLETION,)}
