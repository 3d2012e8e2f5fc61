"""``python -m kioku.mcp`` is ``kioku-mcp``.

Python puts the working directory before everything that is installed, and for an agent that is
somebody's repository: a file there that is called ``mcp.py`` must not run. So it is left out.
"""

import sys

from kioku.mcp import main

if __name__ == "__main__":
    if not sys.flags.safe_path:
        del sys.path[0]
    sys.exit(main())
