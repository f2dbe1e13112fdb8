"""Web servers for sites, each with several workers."""
