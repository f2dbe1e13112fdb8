"""Checks who imports whom: the layers of the project, and circles of imports.

A layer is a set of files that must not reach another set, not even through other files. A circle is
a set of files each of which reaches all the others.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import NamedTuple

import imports

ROOT = Path(__file__).resolve().parent.parent

# The folders of source that are read, and their languages.
SOURCES = {
    "core/src": imports.rust,
    "bindings/python/src": imports.rust,
    "bindings/node/src": imports.rust,
    "python/portier_client": imports.python,
    "node/src": imports.typescript,
}

Graph = dict[str, set[str]]


class Layer(NamedTuple):
    """Files that must not reach others; both are patterns of whole paths."""

    rule: str
    files: str
    unreachable: str


class Words(NamedTuple):
    """Files that must not contain a pattern."""

    rule: str
    files: str
    pattern: str


FACES = (
    r"python/portier_client/_?(?:aiohttp|asgi|fastapi|flask|quart|starlette|tornado|werkzeug|wsgi)(?:_http|_sessions)?\.py"
    r"|python/portier_client/(?:_face\.py|_apps\.py|django/.+)|node/src/web/.+"
)

LAYERS = [
    Layer("HTTP knows no store", r"core/src/http/.+", r"core/src/store/.+"),
    Layer("documents know nothing for tests", r"core/src/documents/.+", r"core/src/testing/.+"),
    Layer(
        "tokens, claims, keys and JSON know neither the cache nor a store",
        r"core/src/(?:token|claims|jwks|algorithm)\.rs|core/src/(?:json|jwks)/.+",
        r"core/src/(?:documents|store)/.+",
    ),
    Layer(
        "stores know no client", r"core/src/store/.+", r"core/src/(?:client|builder)(?:\.rs|/.+)"
    ),
]

WORDS = [
    Words("core knows no binding", r"core/src/.+", r"\b(?:pyo3|napi)::"),
    Words("a face knows nothing of tokens", FACES, r"\b(?:id_?token|jwks?)\b"),
    Words(
        "a face knows the native module only through the flow",
        FACES,
        r"from \._native|import _native|^import (?!type).*/native\.js",
    ),
]

# Circles that may stay, by their files, with the reason. docs/architecture.md names them.
ALLOWED_CIRCLES: dict[frozenset[str], str] = {}


def main() -> int:
    """Prints one line for each finding; returns 1 if there is any."""
    graph = read(ROOT)
    texts = {path: (ROOT / path).read_text(encoding="utf-8") for path in graph}
    findings = [*broken_layers(graph), *forbidden_words(texts), *unexpected_circles(graph)]
    print("\n".join(findings) or "no findings")
    return 1 if findings else 0


def read(root: Path) -> Graph:
    """The imports of every source file, by its path from the root."""
    return {
        path.relative_to(root).as_posix(): {to.relative_to(root).as_posix() for to in targets}
        for folder, reader in SOURCES.items()
        for path, targets in reader(root / folder).items()
    }


def broken_layers(graph: Graph, layers: list[Layer] = LAYERS) -> list[str]:
    """The files that reach what their layer must not know, with the chain of imports."""
    findings = []
    for layer in layers:
        for path in sorted(path for path in graph if re.fullmatch(layer.files, path)):
            way = way_to(layer.unreachable, path, graph)
            if way:
                findings.append(f"{layer.rule}: {' -> '.join(way)}")
    return findings


def way_to(pattern: str, path: str, graph: Graph) -> list[str]:
    """The shortest chain of imports from a file to one that matches a pattern, or an empty list."""
    ways, seen = [[path]], {path}
    for way in ways:
        for target in sorted(graph[way[-1]] - seen):
            if re.fullmatch(pattern, target):
                return [*way, target]
            seen.add(target)
            ways.append([*way, target])
    return []


def forbidden_words(texts: dict[str, str], rules: list[Words] = WORDS) -> list[str]:
    """The lines that contain what their layer must not know."""
    return [
        f"{rule.rule}: {path}:{number}"
        for rule in rules
        for path, text in sorted(texts.items())
        if re.fullmatch(rule.files, path)
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(rule.pattern, line)
    ]


def unexpected_circles(
    graph: Graph, allowed: dict[frozenset[str], str] = ALLOWED_CIRCLES
) -> list[str]:
    """The circles that are not allowed, and the allowed ones that no longer exist."""
    found = circles(graph)
    unexpected = [f"a circle of imports: {', '.join(sorted(c))}" for c in found if c not in allowed]
    gone = [f"an allowed circle is gone: {', '.join(sorted(c))}" for c in allowed if c not in found]
    return sorted(unexpected) + sorted(gone)


def circles(graph: Graph) -> list[frozenset[str]]:
    """The sets of more than one file in which each reaches all the others."""
    reached = {path: reachable(path, graph) for path in graph}
    groups = {
        frozenset(other for other in targets if path in reached[other]) | {path}
        for path, targets in reached.items()
    }
    return [group for group in groups if len(group) > 1]


def reachable(path: str, graph: Graph) -> set[str]:
    """All files that a file reaches."""
    seen: set[str] = set()
    todo = [path]
    while todo:
        for target in graph[todo.pop()] - seen:
            seen.add(target)
            todo.append(target)
    return seen


if __name__ == "__main__":
    sys.exit(main())
