#!/usr/bin/env python3
"""Write the notices and the bill of materials of what is linked into the wheel or the addon.

    scripts/third_party.py portier-client-node --target x86_64-unknown-linux-gnu \
        --notices THIRD-PARTY-NOTICES.txt --sbom sbom.cdx.json

The crates are those that Cargo links for that target, and the crates of Rust's standard library.
Neither file contains a time, a random number or a path, so that the same
sources give the same files.
"""

import argparse
import hashlib
import json
import os
import subprocess
import tomllib
import uuid
from pathlib import Path
from typing import Any

import licences

ROOT = Path(__file__).resolve().parent.parent
CARGO = os.environ.get("CARGO", "cargo")
RUSTC = os.environ.get("RUSTC", "rustc")

HEAD = """\
Third-party software in {crate}

This binary contains the software below, and SQLite, which is in the public domain.
Where a licence may be chosen, the one shown is the one that was chosen.
"""


def main() -> None:
    """Write the files that are asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("crate", choices=["portier-client-node", "portier-client-python"])
    parser.add_argument("--target", help="a target of Rust; without it, this machine's")
    parser.add_argument("--notices", type=Path, metavar="FILE")
    parser.add_argument("--sbom", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    target = arguments.target or host()
    edges = linked(arguments.crate, target)
    packages = metadata()
    if arguments.notices:
        arguments.notices.write_text(notices(arguments.crate, edges, packages), encoding="utf-8")
    if arguments.sbom:
        arguments.sbom.write_text(
            bill_of_materials(arguments.crate, target, edges, packages), encoding="utf-8"
        )


Key = tuple[str, str]
Edges = dict[Key, set[Key]]


def linked(crate: str, target: str) -> Edges:
    """What each linked crate depends on, without procedural macros and build scripts."""
    tree = run(
        CARGO, "tree", "--locked", "--package", crate, "--target", target,
        "--edges", "normal,no-proc-macro", "--prefix", "depth", "--format", " {p}",
    )  # fmt: skip
    edges: Edges = {}
    above: list[Key] = []
    for line in tree.splitlines():
        depth, name, version, *_ = line.split()
        key = (name, version.removeprefix("v"))
        del above[int(depth) :]
        edges.setdefault(key, set())
        if above:
            edges[above[-1]].add(key)
        above.append(key)
    return edges


def metadata() -> dict[Key, dict[str, Any]]:
    """Every package of the lock file by name and version."""
    found = json.loads(run(CARGO, "metadata", "--locked", "--format-version", "1"))
    return {(package["name"], package["version"]): package for package in found["packages"]}


def notices(crate: str, edges: Edges, packages: dict[Key, dict[str, Any]]) -> str:
    """The texts of all licences, each once, with the crates that are under it."""
    ours = {key for key in edges if packages[key]["source"] is None}
    crates = [licences.of_package(packages[key]) for key in sorted(edges.keys() - ours)]
    groups: dict[str, tuple[str, list[str]]] = {}
    for member in [*crates, *licences.standard_library(RUSTC)]:
        for text in licences.chosen_texts(member):
            groups.setdefault(" ".join(text.split()), (text, []))[1].append(
                f"{member.label} ({member.licence})"
            )
    parts = [HEAD.format(crate=crate)]
    for text, labels in groups.values():
        parts.append("-" * 79 + "\n" + "\n".join(labels) + "\n\n" + text.strip("\n") + "\n")
    return "\n".join(parts)


def bill_of_materials(
    crate: str, target: str, edges: Edges, packages: dict[Key, dict[str, Any]]
) -> str:
    """A bill of materials in the form of CycloneDX 1.6."""
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text(encoding="utf-8"))
    sums = {
        (package["name"], package["version"]): package.get("checksum")
        for package in lock["package"]
    }
    root = next(key for key in edges if key[0] == crate)
    rustc = run(RUSTC, "--version").split()[1]
    others = [component(key, packages[key], sums[key]) for key in sorted(edges) if key != root]
    body = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                **component(root, packages[root], None),
                "properties": properties(target, rustc),
            },
        },
        "components": others,
        "dependencies": [
            {"ref": purl(key), "dependsOn": sorted(purl(below) for below in edges[key])}
            for key in sorted(edges)
        ],
    }
    digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest()
    body["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, digest)}"
    return json.dumps(body, indent=1) + "\n"


def component(key: Key, package: dict[str, Any], checksum: str | None) -> dict[str, Any]:
    """A crate as CycloneDX describes it."""
    name, version = key
    found: dict[str, Any] = {
        "type": "library",
        "bom-ref": purl(key),
        "name": name,
        "version": version,
        "licenses": [{"expression": package["license"].replace("/", " OR ")}],
    }
    if package["source"]:
        found["purl"] = purl(key)
    if checksum:
        found["hashes"] = [{"alg": "SHA-256", "content": checksum}]
    return found


def properties(target: str, rustc: str) -> list[dict[str, str]]:
    """What the crates were compiled for, and by what."""
    return [{"name": "cargo:target", "value": target}, {"name": "cargo:rustc", "value": rustc}]


def purl(key: Key) -> str:
    """The name of a crate in bills of materials."""
    return f"pkg:cargo/{key[0]}@{key[1]}"


def host() -> str:
    """The target of this machine."""
    return next(
        line.split()[1] for line in run(RUSTC, "-vV").splitlines() if line.startswith("host:")
    )


def run(*command: str) -> str:
    """What a command prints in the folder of the repository."""
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
