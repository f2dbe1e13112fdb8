"""Reads which file imports which, from the source text.

Tests, and imports for types only, do not count.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import NamedTuple

Graph = dict[Path, set[Path]]
Name = tuple[str, ...]


class Alias(NamedTuple):
    """A name that a `use` declaration brings into a file."""

    name: str
    path: Name
    is_public: bool


class RustFile(NamedTuple):
    """A module of a crate."""

    path: Path
    module: Name
    code: str
    aliases: list[Alias]


def rust(source: Path) -> Graph:
    """The files of a crate, from the folder of its `lib.rs`.

    A re-export is not an import: a file that uses the name imports the file that defines it. A
    child that uses a name of a module that contains it does not import that module, and a module
    does not import a child that it names without `use`: they are one module in several files.
    """
    paths = [path for path in source.rglob("*.rs") if "tests" not in (*path.parts, path.stem)]
    files = {file.module: file for file in (_rust_file(source, path) for path in paths)}
    return {file.path: set(_rust_imports(file, files)) for file in files.values()}


def _rust_file(source: Path, path: Path) -> RustFile:
    parts = path.relative_to(source).with_suffix("").parts
    module = () if parts == ("lib",) else parts[:-1] if parts[-1] == "mod" else parts
    code = _without_tests(_without_comments(path.read_text(encoding="utf-8")))
    code = _flat(re.sub(r"\(in [^)]*\)", "(crate)", code))
    aliases: list[Alias] = []
    declaration = re.compile(r"\b(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);")
    for is_public, tree in declaration.findall(code):
        aliases += (Alias(*alias, bool(is_public)) for alias in _use_tree(tree))
    return RustFile(path, module, declaration.sub("", code), aliases)


def _without_comments(text: str) -> str:
    """Code without comments and the contents of literals."""
    literal = r'b?r(#*)".*?"\1|b?"(?:\\.|[^"\\])*"|\'(?:\\.[^\']*|[^\'\\])\''
    return re.sub(rf"//[^\n]*|/\*.*?\*/|{literal}", '""', text, flags=re.DOTALL)


def _without_tests(code: str) -> str:
    """Code without the items that are compiled for tests only."""
    marked = re.compile(r"#\[cfg\((?:test|all\(test\b[^\]]*)\)\]")
    while found := marked.search(code):
        end = _end_of_item(code, found.end())
        code = code[: found.start()] + code[end:]
    return code


def _flat(code: str) -> str:
    """Code whose paths in inline modules begin at the module of the file."""
    for inline in re.finditer(r"\bmod\s+\w+\s*\{", code):
        end = _end_of_item(code, inline.start())
        body = re.sub(r"\bsuper::", "self::", code[inline.end() : end])
        body = body.replace("self::self::", "super::")
        # As long as before, so that the positions of the other matches stay valid.
        code = code[: inline.end()] + body.ljust(end - inline.end()) + code[end:]
    return code


def _end_of_item(code: str, start: int) -> int:
    depth = 0
    for index in range(start, len(code)):
        if code[index] == "{":
            depth += 1
        elif code[index] == "}":
            depth -= 1
        if depth == 0 and code[index] in ";}":
            return index + 1
    return len(code)


def _use_tree(tree: str) -> list[tuple[str, Name]]:
    """The names of a `use` tree with their paths: `a::{b, c as d}` has two."""
    tree = tree.strip()
    if not tree.endswith("}"):
        path, _, renamed = (part.strip() for part in tree.partition(" as "))
        names = tuple(path.removeprefix("::").split("::"))
        names = names[:-1] if names[-1] == "self" and len(names) > 1 else names
        return [(renamed or names[-1], names)]
    prefix, _, inner = tree[:-1].partition("{")
    branches, depth, begin = [], 0, 0
    for index, character in enumerate(inner + ","):
        depth += (character == "{") - (character == "}")
        if character == "," and depth == 0:
            branches.append(inner[begin:index])
            begin = index + 1
    branches = [branch.strip() for branch in branches]
    return [leaf for branch in branches if branch for leaf in _use_tree(prefix + branch)]


def _rust_imports(file: RustFile, files: dict[Name, RustFile]) -> list[Path]:
    expressions = [tuple(path.split("::")) for path in re.findall(r"\b\w+(?:::\w+)+", file.code)]
    found = [_defined_in(_absolute(file, path), files) for path in expressions]
    for alias in file.aliases:
        target = _absolute(file, alias.path)
        used = [path for path in expressions if path[0] == alias.name]
        if target in files and used:
            found += (_defined_in((*target, *path[1:]), files) for path in used)
        elif not alias.is_public or re.search(rf"(?<![.:\w]){alias.name}\b", file.code):
            found.append(_defined_in(target, files))
    containing = (files.get(file.module[:length]) for length in range(len(file.module) + 1))
    own = {module.path for module in containing if module}
    return [path for path in found if path is not None and path not in own]


def _absolute(file: RustFile, path: Name) -> Name | None:
    """A path from the root of the crate; `None` for one that leads to another crate."""
    base = file.module
    if path[0] == "crate":
        return path[1:]
    if path[0] not in {"self", "super"}:
        return None
    while path and path[0] in {"self", "super"}:
        base = base[:-1] if path[0] == "super" else base
        path = path[1:]
    return (*base, *path)


def _defined_in(path: Name | None, files: dict[Name, RustFile]) -> Path | None:
    """The file that defines what a path names."""
    if path is None:
        return None
    length = len(path)
    while length and path[:length] not in files:
        length -= 1
    file = files.get(path[:length])
    if file is None:
        return None
    for alias in file.aliases:
        target = _absolute(file, alias.path)
        if alias.is_public and target and path[length : length + 1] == (alias.name,):
            return _defined_in((*target, *path[length + 1 :]), files)
    return file.path


def python(package: Path) -> Graph:
    """The modules of a Python package."""
    graph: Graph = {path: set() for path in package.glob("*.py")}
    for path, imports in graph.items():
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in _run_at_import(tree):
            if isinstance(node, ast.ImportFrom) and node.level == 1:
                names = [node.module] if node.module else [alias.name for alias in node.names]
                imports.update(_python_module(package, name) for name in names)
        imports.intersection_update(graph.keys() - {path})
    return graph


def _python_module(package: Path, name: str) -> Path:
    """The file of a module, compiled or not, or of the package for another name."""
    files = (package / f"{name}{suffix}" for suffix in (".py", ".pyi"))
    return next(filter(Path.is_file, files), package / "__init__.py")


def _run_at_import(node: ast.AST) -> list[ast.AST]:
    """The statements that run at import: not those in functions or for type checkers."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return []
    if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
        return []
    return [
        node,
        *(inner for child in ast.iter_child_nodes(node) for inner in _run_at_import(child)),
    ]


def typescript(source: Path) -> Graph:
    """The modules of a TypeScript package."""
    statement = re.compile(
        r"^(?:import|export)\s+(?!type\b)(?:[^;\"']*?\bfrom\s+)?[\"'](\.[^\"']+)[\"']",
        re.MULTILINE,
    )
    graph: Graph = {path: set() for path in source.rglob("*.ts")}
    for path, imports in graph.items():
        for name in statement.findall(path.read_text(encoding="utf-8")):
            target = (path.parent / name).resolve().with_suffix(".ts")
            if target in graph:
                imports.add(target)
    return graph
