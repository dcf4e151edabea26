"""Where a step's time goes: the step in turn with ones that lack one part after another."""
