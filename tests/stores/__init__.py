"""One store for many processes, in all languages."""
