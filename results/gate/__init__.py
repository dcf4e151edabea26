"""The nightly question, whether anything got slower, and the answer in forms that CI reads."""
