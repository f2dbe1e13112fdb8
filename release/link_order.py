"""Writes `link_order.ld`, which puts the functions of a first login next to each other.

`link_order.py MODULE ADDON` counts the functions that valgrind sees in the first login of a process
in Python and in Node. Both files are builds for Linux x64, with symbols and in the usual order,
because valgrind finds names in `.text` alone:

    export CARGO_PROFILE_RELEASE_STRIP=none
    cargo build --release -p portier-client-python -p portier-client-node
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BENCH = ROOT / "tests" / "bench"
SCRIPT = Path(__file__).with_suffix(".ld")
# Of a longer name, only the beginning is compared.
LONGEST = 140
HEAD = """\
/* The functions that a first login calls, in Python and in Node. `release/link_order.py` writes
   this file. A name that no longer exists has no effect. */
SECTIONS {
  .text.first_login : {
"""
TAIL = """\
  }
} INSERT BEFORE .text;
"""


def main(module: Path, addon: Path) -> int:
    """Writes the file."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        called = in_python(module.resolve(), folder) | in_node(addon.resolve(), folder)
    patterns = sorted({pattern(function) for function in called})
    # Functions that are rarely called have `.text.unlikely` before their names.
    lines = [f"    *(.text*.{one})\n" for one in patterns]
    SCRIPT.write_text(HEAD + "".join(lines) + TAIL, encoding="ascii")
    print(f"{len(lines)} functions")
    return 0


def in_python(module: Path, folder: Path) -> set[str]:
    """The functions of the module that a first login calls."""
    package = folder / "python" / "portier_client"
    leave_out = shutil.ignore_patterns("*.so", "__pycache__")
    shutil.copytree(ROOT / "python" / "portier_client", package, ignore=leave_out)
    shutil.copy(module, package / "_native.abi3.so")
    command = [sys.executable, str(BENCH / "first_login.py")]
    environment = {**os.environ, "PYTHONPATH": str(package.parent)}
    return called_in(package / "_native.abi3.so", command, environment, folder / "python.out")


def in_node(addon: Path, folder: Path) -> set[str]:
    """The functions of the addon that a first login calls."""
    package = folder / "node"
    shutil.copytree(ROOT / "node" / "dist", package / "dist")
    shutil.copy(ROOT / "node" / "package.json", package)
    (own,) = (package / "dist").glob("*.node")
    shutil.copy(addon, own)
    # It looks for the package beside itself.
    program = folder / "tests" / "bench"
    shutil.copytree(BENCH, program, ignore=shutil.ignore_patterns("node_modules"))
    command = [os.environ.get("NODE", "node"), str(program / "first_login.mjs")]
    return called_in(own, command, dict(os.environ), folder / "node.out")


def called_in(
    library: Path, command: list[str], environment: dict[str, str], counts: Path
) -> set[str]:
    """Runs a first login in valgrind; returns the functions of a library that were called."""
    from portier_client.testing import DevBroker

    options = ["--tool=callgrind", "--demangle=no", "--smc-check=all-non-file"]
    valgrind = ["valgrind", "--quiet", *options, f"--callgrind-out-file={counts}"]
    with (
        DevBroker() as broker,
        subprocess.Popen(
            [*valgrind, *command, broker.origin],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        url = next(line for line in process.stdout if line.startswith("http"))
        print(broker.mint(url.strip()), file=process.stdin, flush=True)
        process.stdout.read()
    if process.returncode != 0:
        raise SystemExit(f"the login failed: {' '.join(command)}")
    return functions_of(library, counts.read_text(encoding="utf-8"))


def functions_of(library: Path, counts: str) -> set[str]:
    """The functions of a library in the counts of callgrind, which writes each name once."""
    libraries: dict[str, str] = {}
    names: dict[str, str] = {}
    found = set()
    current = ""
    for kind, number, name in re.findall(
        r"^(c?ob|c?fn)=\((\d+)\)(?: (.*))?$", counts, re.MULTILINE
    ):
        known = libraries if kind.endswith("ob") else names
        if name:
            known[number] = name
        if kind == "ob":
            current = libraries[number]
        elif kind == "fn" and current == str(library):
            found.add(number)
    called = {re.sub(r"'\d+$", "", names[number]) for number in found}
    # Code without a symbol has its address for a name.
    return {name for name in called if not name.startswith("0x")}


def pattern(function: str) -> str:
    """A function's symbol without what depends on the build: numbers, hashes, AWS-LC's version."""
    function = re.sub(r"\.\d+$", "*", function)
    function = re.sub(r"17h[0-9a-f]{16}E\*?$", "17h*", function)
    function = re.sub(r"^_ZN\d+_\$LT\$", "_ZN*_$LT$", function)
    if function.startswith("_R"):
        function = re.sub(r"Cs[0-9A-Za-z]{6,13}_", "Cs*_", function)
    function = re.sub(r"aws_lc_\d+_\d+_\d+_", "aws_lc_*_", function)
    return function if len(function) <= LONGEST else f"{function[:LONGEST]}*"


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: link_order.py MODULE ADDON")
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
