"""What may spoil a run, looked at before it begins: facts are read, checks of them are pure, findings are values."""
