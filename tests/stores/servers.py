"""Programs that the tests start, and talk to."""

from __future__ import annotations

import os

NODE = os.environ.get("NODE", "node")
