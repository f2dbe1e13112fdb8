"""The example sites have tests as a user would write them, with the kit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .plugins import WITHOUT

EXAMPLES = Path(__file__).parents[2] / "examples"
SITES = sorted(path.parent.name for path in EXAMPLES.glob("*/app.py"))
# The test runners of sites whose users usually take another one than pytest.
COMMANDS = {
    "django": ["-W", "error", "manage.py", "test"],
    "tornado": ["-W", "error", "-m", "unittest"],
}
PYTEST = ["-m", "pytest", *WITHOUT, "-pno:xdist"]


def test_every_example_has_tests_that_use_the_kit() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir() and path.name != "shared"}
    assert folders - {"__pycache__"} == {*SITES}
    for site in SITES:
        (tests,) = (EXAMPLES / site).glob("test_*.py")
        assert "portier_login(" in tests.read_text(encoding="utf-8"), site


@pytest.mark.parametrize("site", SITES)
def test_the_tests_of_an_example_pass(site: str) -> None:
    command = [sys.executable, *COMMANDS.get(site, PYTEST)]
    done = subprocess.run(
        command,
        cwd=EXAMPLES / site,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout or "\nOK\n" in done.stdout
