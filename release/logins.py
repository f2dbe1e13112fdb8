"""Logs in with the packages: of this machine, and of others that it can emulate."""

from __future__ import annotations

import subprocess
import tarfile
import tempfile
import zipfile
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from emulation import MissingError, node_for, python_for
from interpreters import WHEELS, Wheel
from targets import Target, all_targets

HERE = Path(__file__).resolve().parent
LIMIT_S = 300


@dataclass
class Logins:
    """What was tried, and what failed."""

    done: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    not_tried: dict[str, str] = field(default_factory=dict)


def run_all(directory: Path, built: list[str]) -> Logins:
    """Logs in with every package that was built."""
    logins = Logins()
    for target in all_targets():
        if target.name not in built:
            continue
        kinds = {"addon": log_in_with_node}
        for wheel in WHEELS:
            kinds[f"wheel {wheel.tag}"] = partial(log_in_with_python, wheel)
        for kind, log_in in kinds.items():
            name = f"{kind} for {target.name}"
            try:
                with tempfile.TemporaryDirectory() as folder:
                    logins.done.append(f"{name}: {log_in(directory, target, Path(folder))}")
            except MissingError as error:
                logins.not_tried[name] = str(error)
            except LoginError as error:
                logins.failures.append(f"{name}: {error}")
    return logins


class LoginError(Exception):
    """The program did not log in; the message is its output."""


def log_in_with_node(directory: Path, target: Target, folder: Path) -> str:
    """Unpacks the packages of npm as an installation does."""
    command = node_for(target)
    modules = folder / "node_modules"
    names = {
        "portier-client": "portier-client",
        f"portier-client-{target.name}": f"@portier-client/{target.name}",
    }
    for file, name in names.items():
        archive = next(
            path for path in directory.glob(f"{file}-*.tgz") if path.stem[len(file) + 1].isdigit()
        )
        with tarfile.open(archive) as packed:
            packed.extractall(folder, filter="data")
        (modules / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "package").rename(modules / name)
    program = folder / "log_in.cjs"
    program.write_bytes((HERE / program.name).read_bytes())
    return run([*command.arguments, str(program)], command.variables, folder)


def log_in_with_python(wheel: Wheel, directory: Path, target: Target, folder: Path) -> str:
    """Unpacks the wheel, and imports it from there alone."""
    command = python_for(target, wheel)
    archive = next(directory.glob(f"*-{wheel.tag}-*{target.wheel}*.whl"))
    with zipfile.ZipFile(archive) as zipped:
        zipped.extractall(folder)
    program = folder / "log_in.py"
    program.write_bytes((HERE / program.name).read_bytes())
    return run([*command.arguments, "-W", "error", str(program)], command.variables, folder)


def run(command: list[str], variables: dict[str, str], folder: Path) -> str:
    """The output of a program that has to log in."""
    try:
        done = subprocess.run(
            command,
            cwd=folder,
            env=variables,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired as error:
        raise LoginError(str(error)) from error
    if done.returncode != 0 or not done.stdout.endswith(" alice@example.com\n"):
        message = f"status {done.returncode}: {done.stdout[-2000:]}"
        raise LoginError(message)
    return done.stdout.strip()
