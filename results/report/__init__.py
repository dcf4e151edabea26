"""A report on records that a buyer can read: one HTML page without scripts, or Markdown."""
