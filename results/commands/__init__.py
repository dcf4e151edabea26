"""The sub-commands of `python -m results`, a module each."""
