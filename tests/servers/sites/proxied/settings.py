"""What the sites read from the environment."""

import os

BROKER = os.environ["BROKER"]
PORT = int(os.environ["PORT"])
PREFIX = os.environ["PREFIX"]
"""The part of each path that the proxy strips."""
REDIRECT_URI = os.environ["REDIRECT_URI"]
SECRET = "WkT1vS7mQ9x4LhR2nYcB8dGpJ6fZaE3u"
