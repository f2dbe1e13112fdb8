"""What the notices and the bill of materials say of the crates that are linked."""

import json
import re
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import licences

ROOT = Path(__file__).resolve().parents[2]

CRATES = ["portier-client-node", "portier-client-python"]
TARGETS = ["x86_64-unknown-linux-gnu", "aarch64-apple-darwin", "x86_64-pc-windows-msvc"]


@pytest.mark.parametrize("crate", CRATES)
@pytest.mark.parametrize("target", TARGETS)
def test_each_linked_crate_has_a_text_and_a_component(crate: str, target: str) -> None:
    notices, sbom = made(crate, target)
    components = {(component["name"], component["version"]) for component in sbom["components"]}
    assert {"aws-lc-sys", "libsqlite3-sys", "redis", "rustls"} <= {name for name, _ in components}
    for name, version in components:
        assert name == "portier-client" or f"\n{name} {version} (" in notices


def test_only_what_is_linked_is_named() -> None:
    _, sbom = made("portier-client-python", "x86_64-unknown-linux-gnu")
    names = {component["name"] for component in sbom["components"]}
    # A procedural macro, a tool of the tests, and a crate for another system.
    assert not names & {"serde_derive", "proptest", "windows-sys"}


def test_the_standard_library_is_named() -> None:
    notices, _ = made("portier-client-python", "x86_64-unknown-linux-gnu")
    assert re.search(r"^std 1\.\d+\.\d+ \(MIT OR Apache-2\.0\)$", notices, re.MULTILINE)
    assert re.search(r"^rustc-demangle [\d.]+ \(", notices, re.MULTILINE)


def test_no_path_of_the_machine_is_named_and_two_runs_write_the_same() -> None:
    first = made("portier-client-node", "x86_64-unknown-linux-gnu")
    assert written("portier-client-node", "x86_64-unknown-linux-gnu") == first
    assert str(ROOT) not in first[0] + json.dumps(first[1])
    assert str(Path.home()) not in first[0] + json.dumps(first[1])


def test_every_dependency_in_the_bill_is_a_component_of_it() -> None:
    _, sbom = made("portier-client-node", "x86_64-unknown-linux-gnu")
    known = {
        component["bom-ref"] for component in [*sbom["components"], sbom["metadata"]["component"]]
    }
    named = {ref for entry in sbom["dependencies"] for ref in [entry["ref"], *entry["dependsOn"]]}
    assert named == known


@pytest.mark.parametrize(
    ("expression", "at_hand", "chosen"),
    [
        ("MIT OR Apache-2.0", {"MIT", "Apache-2.0"}, {"MIT"}),
        ("MIT/Apache-2.0", {"Apache-2.0"}, {"Apache-2.0"}),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", {"MIT", "Unicode-3.0"}, {"MIT", "Unicode-3.0"}),
        ("ISC AND (Apache-2.0 OR ISC)", {"ISC", "Apache-2.0"}, {"ISC"}),
        ("MIT OR LGPL-2.1-or-later", set(), {"MIT"}),
        ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", {"MIT"}, {"MIT"}),
    ],
)
def test_the_chosen_licence_is_one_whose_text_is_in_the_crate(
    expression: str, at_hand: set[str], chosen: set[str]
) -> None:
    assert licences.choose(expression, at_hand) == chosen


def test_a_licence_without_its_text_is_refused() -> None:
    crate = licences.Crate(
        "example", "1.0.0", "MPL-2.0", "nobody", {"LICENSE": "all rights reserved"}
    )
    with pytest.raises(SystemExit, match=r"no text of a licence: crate=example licence=MPL-2.0"):
        list(licences.chosen_texts(crate))


def test_a_text_that_was_not_chosen_is_left_out() -> None:
    files = {
        "LICENSE-APACHE": "Apache License",
        "LICENSE-MIT": licences.MIT,
        "NOTICE": "by the authors",
    }
    crate = licences.Crate("example", "1.0.0", "MIT OR Apache-2.0", "nobody", files)
    assert list(licences.chosen_texts(crate)) == [licences.MIT, "by the authors"]


@cache
def made(crate: str, target: str) -> tuple[str, dict]:
    return written(crate, target)


def written(crate: str, target: str) -> tuple[str, dict]:
    with tempfile.TemporaryDirectory() as folder:
        notices, sbom = Path(folder, "notices.txt"), Path(folder, "sbom.json")
        command = [sys.executable, ROOT / "scripts/third_party.py", crate, "--target", target]
        subprocess.run([*command, "--notices", notices, "--sbom", sbom], check=True)
        return notices.read_text(encoding="utf-8"), json.loads(sbom.read_text(encoding="utf-8"))
