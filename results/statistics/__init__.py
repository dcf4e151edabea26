"""Statistics of step times and of repeated runs. Nothing in it knows of records."""
