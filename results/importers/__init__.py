"""From what other programs, and older versions, left of their runs to records."""
