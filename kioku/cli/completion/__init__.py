"""Completion for bash, zsh and fish: small scripts, and one process that knows what may come next.

words    the line, taken apart and quoted     places   what may stand where the cursor is
answer   what a shell asks for at each Tab    verb     ``kioku completion``: the scripts

The scripts hold no list of verbs or options: they ask the program, so they are never out of date,
and they evaluate nothing that they are told (docs/adr/0057).
"""
