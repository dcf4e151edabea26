"""What a machine is, as Linux tells. Readers take the root of its files; what they cannot read is None."""
