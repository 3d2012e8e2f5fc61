"""``python -m kioku.cli`` is ``kioku``."""

import sys

from kioku.cli import main

if __name__ == "__main__":
    sys.exit(main())
