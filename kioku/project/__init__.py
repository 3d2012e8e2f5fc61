"""Which project a directory belongs to, and which names one project has.

The rule this package guards: **the same work has the same name everywhere**, in each worktree and
on each machine, whatever the directory is called; and nothing that somebody committed can do more
than name the project. Files are read, never run: no ``git`` is started, every read is bounded, and
only regular files are opened (docs/adr/0048).
"""
