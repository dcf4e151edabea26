"""Programs that measure one way of a claim where a run cannot; each ends its output with a line of JSON."""
