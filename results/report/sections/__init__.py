"""The sections of a report. Each module's `section(material, draw)` gives one, or None where there are no data."""
