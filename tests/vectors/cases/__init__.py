"""The cases of the test vectors, and what is needed to make them."""
