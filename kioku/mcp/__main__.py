"""``python -m kioku.mcp`` is ``kioku-mcp``."""

import sys

from kioku.mcp import main

if __name__ == "__main__":
    sys.exit(main())
