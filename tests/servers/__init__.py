"""The servers that sites run under, each with several workers."""
