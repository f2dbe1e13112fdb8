"""The tags of the app."""
