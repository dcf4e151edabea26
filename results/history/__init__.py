"""How configurations did over time: series, their changes, and what else changed there."""
