"""The example sites and the real broker, in a real browser."""
