"""``make demo``: kioku at work on this repository's own documents, in a throw-away directory."""
