"""What `cargo deny` would say of licences and bans, without the tool, which few machines have."""

import subprocess
import sys
import tomllib
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import licences

ROOT = Path(__file__).resolve().parents[2]
DENY = tomllib.loads((ROOT / "deny.toml").read_text(encoding="utf-8"))


def test_every_licence_is_allowed_and_every_exception_is_needed() -> None:
    allowed = set(DENY["licenses"]["allow"])
    exceptions = {entry["crate"]: set(entry["allow"]) for entry in DENY["licenses"]["exceptions"]}
    needed = set()
    for crate, licence in packages().items():
        more = exceptions.get(crate, set())
        chosen = licences.choose(licence, allowed | more)
        assert chosen <= allowed | more, f"{crate}: {licence}"
        if not chosen <= allowed:
            needed.add(crate)
    assert needed == exceptions.keys()


def test_no_banned_crate_is_used() -> None:
    banned = {entry["crate"] for entry in DENY["bans"]["deny"]}
    assert not banned & packages().keys()


@cache
def packages() -> dict[str, str]:
    """The licence of every crate that some feature on some system uses."""
    command = ["cargo", "tree", "--locked", "--workspace", "--all-features", "--target", "all"]
    command += ["--edges", "all", "--prefix", "none", "--format", "{p}|{l}"]
    found = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    lines = {line.removesuffix(" (*)") for line in found.splitlines() if "|" in line}
    return {line.split()[0]: line.partition("|")[2] for line in lines}
