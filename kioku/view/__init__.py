"""What queries read: thin records, filters and the word index."""

from kioku.view.schema import ObservationView

__all__ = ["ObservationView"]
