"""Compares the interfaces of Rust, Python and Node; prints what one of them lacks.

Names are compared in the spelling of Python. Intended differences are listed here with a reason.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import portier_client
from portier_client import Client, Login, _native, errors, testing, web

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

# Different names, as users of each language expect them.
NODE_NAMES = {
    "portier_client": "client",
    "version": "__version__",
    "destroy": "aclose",
    "session_ttl_ms": "session_ttl",
    "timeout_ms": "timeout",
    "store_timeout_ms": "store_timeout",
    "leeway_ms": "leeway",
    "age_ms": "age_seconds",
    "fresh_for_ms": "fresh_for_seconds",
    "usable_for_ms": "usable_for_seconds",
    "retry_in_ms": "retry_in_seconds",
    "clock_difference_ms": "clock_difference",
}
# For programs that were written for the npm package `portier`.
NODE_ONLY = {"normalize", "abstract_store", "leeway", "response_mode", "store", "leeway_ms"}
# Built-in stores are classes in Node; in the other languages they are URLs. The store that uses a
# Redis client of the site is in a separate module in Python.
NODE_STORES = {"memory_store", "redis_store", "sqlite_store", "redis_client_store"}
# Node has a class for each kind of store, publishes events before a call is answered, and has an
# interface in place of the class of mails.
PYTHON_ONLY = {"open_store", "flush_events", "mail"}
# `login` of the kits for tests takes the test clients of its language, and has the scenarios as
# methods in Python.
KIT_OF_PYTHON = {
    *("async_test_client", "login_helper", "login_options", "login_result"),
    *("portier_test_mixin", "scenario"),
}
KIT_OF_NODE = {
    *("broker_down", "cancelled", "expired", "other_browser", "refused", "replayed"),
    "rotated_keys",
    *("wrong_address", "freeze_time", "frozen_clock", "test_response", "test_session"),
}
# `refuse_login` is for a form that the framework's CSRF check has refused; in Node that check
# belongs to the site. `client` is there because a handler of Tornado makes its flow itself.
PYTHON_FLOW_ONLY = {"refuse_login", "client"}
# For sites that read bodies themselves.
PYTHON_WEB_ONLY = {"max_form_bytes"}
# Required by the language.
NODE_LANGUAGE = {"to_json"}
# In the other languages only `testing` sets clock, random numbers and transport, and `store`
# accepts URLs. Several secrets are a list there, and their packages make the default store.
RUST_ONLY = {"clock", "random", "transport", "store_url", "secrets", "default_store"}
# A constructor, an option of `sign_in` in the other languages, a script, a figure for benchmarks.
RUST_BROKER = {"spawn", "sign_in_with", "apply", "time_signatures"}
# One option in Rust, and a hook of the language.
RUST_SESSION = {"session"}
SESSION = {"secret", "session_max_age", "session_absolute_max_age", "accept"}

findings: list[str] = []


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    node = json.loads(
        subprocess.run(
            [os.environ.get("NODE", "node"), str(HERE / "node.cjs")],
            check=True,
            stdout=subprocess.PIPE,
            text=True,
        ).stdout
    )
    public_names(node)
    the_client(node)
    the_flow(node)
    the_broker(node)
    options_and_defaults(node)
    what_is_returned(node)
    error_codes(node)
    the_commands()
    vectors()
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def public_names(node: dict[str, Any]) -> None:
    """The exported names of the packages and of their modules for tests, including types."""
    python = {pythonic(name) for name in portier_client.__all__ + web.__all__}
    python -= {"client", *PYTHON_WEB_ONLY}
    lacking("public names", "Node", python, renamed(node["names"]) | typed(node))
    lacking("public names", "Python", renamed(node["names"], NODE_ONLY | NODE_STORES), python)
    rust = set(re.findall(r"\b(\w+)\b", exports("core/src/lib.rs")))
    lacking("public names", "Rust", {"Client", "Login", "normalize_email", "safe_next"}, rust)
    helpers = {pythonic(name) for name in testing.__all__} - PYTHON_ONLY - KIT_OF_PYTHON
    same("names for tests", helpers, renamed(node["testing"], KIT_OF_NODE))


def the_client(node: dict[str, Any]) -> None:
    """The methods and properties of a client."""
    public = {name for name in dir(Client) if not name.startswith("_")}
    same("the client", public, renamed(node["client"], NODE_ONLY | NODE_LANGUAGE))
    rust = set(re.findall(r"pub (?:async )?fn (\w+)", source("core/src/client.rs")))
    lacking("the client", "Rust", public - {"aclose"}, rust)


def the_broker(node: dict[str, Any]) -> None:
    """The methods and properties of the development broker."""
    public = {name for name in dir(testing.DevBroker) if not name.startswith("_")}
    same("the development broker", public, renamed(node["broker"]))
    sources = (source(f"core/src/testing/broker/{name}.rs") for name in ("mod", "control"))
    rust = set(re.findall(r"pub fn (\w+)", "".join(sources)))
    same("the development broker", public, rust - RUST_BROKER, "Rust")


def the_flow(node: dict[str, Any]) -> None:
    """The methods, the properties and the options of a login flow."""
    public = {name for name in dir(web.LoginFlow) if not name.startswith("_")}
    of_node = {pythonic(name) for name in node["flow"]}
    same("the flow", public - PYTHON_FLOW_ONLY, of_node)
    sources = "".join(
        source(f"core/src/web/{name}.rs") for name in ("flow", "flow/health", "flow/sessions")
    )
    rust = set(re.findall(r"pub (?:async )?fn (\w+)", sources))
    lacking("the flow", "Rust", public, rust)
    options = set(inspect.signature(web.LoginFlow).parameters) - {"client"}
    in_node = {pythonic(name) for name in node["flowOptions"]}
    same("options of the flow", options, in_node)
    struct = re.search(
        r"pub struct FlowOptions \{(.*?)\n\}", source("core/src/web/options.rs"), re.DOTALL
    )
    fields = set(re.findall(r"pub (\w+):", struct[1] if struct else ""))
    same("options of the flow", options - SESSION, fields - RUST_SESSION, "Rust")


def options_and_defaults(node: dict[str, Any]) -> None:
    """The options of a client with their defaults."""
    parameters = inspect.signature(Client).parameters
    python = set(parameters)
    same("options", python, renamed(node["options"]))
    config = source("core/src/builder.rs")
    rust = set(re.findall(r"pub fn (\w+)\((?:mut )?self,", config))
    same("options", python - {"redirect_uri"}, rust - RUST_ONLY, "Rust")

    defaults = {name: parameter.default for name, parameter in parameters.items()}
    for name in ("leeway", "session_ttl", "timeout", "store_timeout"):
        seconds = re.search(rf"\b{name}: Duration::from_secs\(([\d *]+)\)", config)
        product = 1
        for factor in seconds[1].split("*") if seconds else []:
            product *= int(factor)
        equal(f"default of {name}", "Rust", defaults[name], product)
    broker = re.search(r'DEFAULT_BROKER: &str = "(.*)"', config)
    equal("default of broker", "Rust", defaults["broker"], broker and broker[1])
    of_node = node["defaults"]
    equal("default of broker", "Node", defaults["broker"], of_node["broker"])
    equal("default of response_mode", "Node", defaults["response_mode"], of_node["responseMode"])
    equal("default of leeway", "Node", defaults["leeway"] * 1000, of_node["leewayMs"])


def what_is_returned(node: dict[str, Any]) -> None:
    """The members of a login and of a client's statistics."""
    login = {field.name for field in dataclasses.fields(Login)}
    same("login", login, renamed(node["login"]))
    struct = re.search(r"pub struct Login \{(.*?)\n\}", source("core/src/session.rs"), re.DOTALL)
    same("login", login, set(re.findall(r"pub (\w+):", struct[1] if struct else "")), "Rust")
    stats: dict[str, Any] = Client("https://example.com/verify").stats()
    same("stats", set(stats), renamed(node["stats"]))
    same("stats of a document", set(stats["keys"]), renamed(node["stats"]["keys"]))


def error_codes(node: dict[str, Any]) -> None:
    """The codes, their classes, and whether they are retryable."""
    rust = source("core/src/error.rs")
    in_source = dict(re.findall(r'^ +\w+ = "(\w+)" in (\w+),', rust, re.MULTILINE))
    python = {code: kind for code, kind, *_ in _native.codes()}
    equal("codes", "Python", in_source, python)
    equal("codes", "Node", in_source, {code["code"]: code["kind"] for code in node["codes"]})
    classes = {code: kind.__name__ for code, kind in errors.CLASSES.items()}
    equal("classes of codes", "Node", classes, node["classes"])
    retryable = {code for code, _, again, _ in _native.codes() if again}
    equal("retryable", "Node", retryable, {c["code"] for c in node["codes"] if c["retryable"]})
    faults = {code for code, *_, fault in _native.codes() if fault}
    equal("faults", "Node", faults, {c["code"] for c in node["codes"] if c["fault"]})


def the_commands() -> None:
    """The options of the commands, and how they refuse a wrong one."""
    node = [os.environ.get("NODE", "node"), str(ROOT / "node/dist/cli.js")]
    python = [sys.executable, "-m", "portier_client"]
    for command in ("broker", "doctor"):
        for option in ("--help", "--no-such-option"):
            in_python, in_node = (
                subprocess.run([*program, command, option], capture_output=True, check=False)
                for program in (python, node)
            )
            wanted = (in_python.returncode, in_python.stdout, in_python.stderr)
            found = (in_node.returncode, in_node.stdout, in_node.stderr)
            equal(f"the command {command} {option}", "Node", wanted, found)


def vectors() -> None:
    """Checks that every language replays every file of vectors."""
    files = {path.stem for path in (ROOT / "tests/vectors").glob("*.json")}
    rust = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "core").rglob("*.rs"))
    lacking("vectors", "Rust", files, set(re.findall(r'["/](\w+)\.json"', rust)))
    for language, folder, pattern in (
        ("Python", "python/tests", r'["/](\w+)(?:\.json)?"'),
        ("Node", "node/tests", r'(?:replay|load)\("(\w+)"'),
    ):
        text = "".join(
            path.read_text(encoding="utf-8")
            for path in (ROOT / folder).rglob("*test*")
            if path.is_file() and path.suffix in {".py", ".mjs"}
        )
        wanted = files
        lacking("vectors", language, wanted, {match[1] for match in re.finditer(pattern, text)})


def pythonic(name: str) -> str:
    """A name in the spelling of Python."""
    snake: str = re.sub(r"(?<=[a-z0-9])([A-Z])|(?<=[A-Z])([A-Z])(?=[a-z])", r"_\1\2", name)
    return snake.lower()


def renamed(names: Iterable[str], without: Iterable[str] = ()) -> set[str]:
    """Names of Node in the spelling of Python."""
    snake = {pythonic(name) for name in names}.difference(without)
    return {NODE_NAMES.get(name, name) for name in snake}


def typed(node: dict[str, Any]) -> set[str]:
    """Names that are only types in Node."""
    return {pythonic(name) for name in node["types"]}


def source(name: str) -> str:
    """A file of the workspace."""
    return (ROOT / name).read_text(encoding="utf-8")


def exports(name: str) -> str:
    """The `pub use` lines of a Rust file."""
    return " ".join(re.findall(r"^pub use .*?;", source(name), re.MULTILINE | re.DOTALL))


def same(what: str, python: set[str], other: set[str], language: str = "Node") -> None:
    """Reports the names that one side lacks."""
    lacking(what, "Python", other, python)
    lacking(what, language, python, other)


def lacking(what: str, language: str, wanted: set[str], found: set[str]) -> None:
    """Reports names that a language lacks."""
    if missing := sorted(wanted - found):
        findings.append(f"{what}: {language} lacks {', '.join(missing)}")


def equal(what: str, language: str, wanted: object, found: object) -> None:
    """Reports a difference."""
    if wanted != found:
        findings.append(f"{what}: {language} has {found}, and not {wanted}")


if __name__ == "__main__":
    sys.exit(main())
