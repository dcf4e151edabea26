"""Records against records: which may be compared, what the comparison says, and how it is written."""
