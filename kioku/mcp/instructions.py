"""What a client tells its model of this server."""

from typing import Final

INSTRUCTIONS: Final = "A memory that agents share. Search it before work, save what was decided."
