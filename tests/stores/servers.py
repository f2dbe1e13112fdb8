"""Programs that the tests start and control."""

from __future__ import annotations

import os

NODE = os.environ.get("NODE", "node")
