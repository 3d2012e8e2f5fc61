"""The words that a question or a note is full of and that tell it from no other."""

from __future__ import annotations

# Snowball's English list, less what tells notes apart (above, against, down, off, on, out, over,
# under, up …), plus a few words that questions begin with. Fewer is safer: a word that is dropped
# here can only be found together with others.
STOP_WORDS = frozenset(
    "a about am an and any are as at be because been being but by can could did do does doing"
    " for from had has have having he her hers him his how i if in into is it its itself just"
    " me my no not of or our ours please shall she should so some such than that the their"
    " theirs them then there these they this those to too us very was we were what when where"
    " which while who whom whose why will with would you your yours".split()
)
