"""Tests of the check of layers, on small trees of files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import check_layers
import imports
from check_layers import Layer, Words

LAYERS = [Layer("a knows no store", r"a\.rs", r"store\.rs")]


def rust(folder: Path, **files: str) -> dict[str, set[str]]:
    """What the files of a crate import; `__` in a name is a folder."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.rs"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return names(imports.rust(folder), folder)


def names(graph: imports.Graph, folder: Path) -> dict[str, set[str]]:
    """The same graph by the names of the files."""
    return {
        path.relative_to(folder).as_posix(): {
            target.relative_to(folder).as_posix() for target in targets
        }
        for path, targets in graph.items()
    }


@pytest.mark.parametrize(
    "text",
    [
        "use crate::b::Name;",
        "use crate::{b::Name, c};",
        "use crate::{\n    c,\n    b::{Name, Other as Another},\n};",
        "use super::b;\nfn f() { b::g() }",
        "use crate::b::{self, Name};",
        "fn f() { crate::b::g(); }",
        "mod inner { use super::super::b::Name; }",
        "pub use crate::b::Name;\nfn f(name: Name) {}",
        '#[cfg(test)]\nmod tests { fn f() { "}" } }\nuse crate::b::Name;',
    ],
)
def test_an_import_of_another_file_is_seen(tmp_path: Path, text: str) -> None:
    assert "b.rs" in rust(tmp_path, lib="mod a; mod b; mod c;", a=text, b="", c="")["a.rs"]


@pytest.mark.parametrize(
    "text",
    [
        "// use crate::b::Name;",
        "/* use crate::b::Name; */",
        'const TEXT: &str = "use crate::b::Name;";',
        'const TEXT: &str = r#"use crate::b::"Name";"#;',
        "#[cfg(test)]\nmod tests { use crate::b::Name; }",
        "#[cfg(test)]\nuse crate::b::Name;",
        "use other::b::Name;",
        "pub(crate) use crate::b::Name;",
        "mod b; fn f() { b::g() }",
    ],
)
def test_comments_texts_tests_and_re_exports_are_no_imports(tmp_path: Path, text: str) -> None:
    assert rust(tmp_path, lib="mod a; mod b;", a=text, b="", a__b="")["a.rs"] == set()


def test_a_name_that_is_re_exported_is_imported_from_the_file_that_defines_it(
    tmp_path: Path,
) -> None:
    graph = rust(
        tmp_path,
        lib="mod room; mod a;",
        room__mod="mod inner; pub use self::inner::Name;",
        room__inner="",
        a="use crate::room::Name;",
    )
    assert graph["a.rs"] == {"room/inner.rs"}


def test_a_module_and_its_children_are_no_circle(tmp_path: Path) -> None:
    graph = rust(
        tmp_path,
        lib="mod room;",
        room__mod="mod inner; use self::inner::Name;",
        room__inner="use super::helper;",
    )
    assert check_layers.circles(graph) == []


def test_imports_of_python_that_run_at_import_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "from . import b, native\n"
        "if TYPE_CHECKING:\n    from .c import C\n"
        "def f():\n    from .d import D\n",
        encoding="utf-8",
    )
    for name in ("__init__.py", "b.py", "c.py", "d.py", "native.pyi"):
        (tmp_path / name).touch()
    assert names(imports.python(tmp_path), tmp_path)["a.py"] == {"b.py"}


def test_imports_of_typescript_are_seen_except_those_of_types(tmp_path: Path) -> None:
    (tmp_path / "a.ts").write_text(
        'import type { T } from "./types.js";\n'
        'import {\n  one,\n  two,\n} from "./b.js";\n'
        'export { three } from "./inner/c.js";\n'
        'import "./d.js";\n'
        'import fs from "node:fs";\n',
        encoding="utf-8",
    )
    (tmp_path / "inner").mkdir()
    for name in ("types.ts", "b.ts", "inner/c.ts", "d.ts"):
        (tmp_path / name).touch()
    assert names(imports.typescript(tmp_path), tmp_path)["a.ts"] == {"b.ts", "inner/c.ts", "d.ts"}


def test_a_layer_is_broken_also_through_other_files() -> None:
    graph = {"a.rs": {"b.rs"}, "b.rs": {"store.rs"}, "store.rs": {"a.rs"}}
    findings = check_layers.broken_layers(graph, LAYERS)
    assert findings == ["a knows no store: a.rs -> b.rs -> store.rs"]


def test_a_layer_that_is_kept_has_no_findings() -> None:
    graph = {"a.rs": {"b.rs"}, "b.rs": {"a.rs"}, "store.rs": {"a.rs"}}
    assert check_layers.broken_layers(graph, LAYERS) == []


def test_a_forbidden_word_is_found_with_its_line() -> None:
    rules = [Words("core knows no binding", r"core/.+", r"\bpyo3::")]
    texts = {"core/a.rs": "\nuse pyo3::Python;", "bindings/a.rs": "use pyo3::Python;"}
    assert check_layers.forbidden_words(texts, rules) == ["core knows no binding: core/a.rs:2"]


def test_a_circle_is_found_unless_it_is_allowed() -> None:
    graph = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set[str]()}
    assert check_layers.circles(graph) == [frozenset("abc")]
    assert check_layers.unexpected_circles(graph, {}) == ["a circle of imports: a, b, c"]
    assert check_layers.unexpected_circles(graph, {frozenset("abc"): "a reason"}) == []


def test_an_allowed_circle_that_is_gone_has_to_leave_the_list() -> None:
    allowed = {frozenset("ab"): "a reason"}
    assert check_layers.unexpected_circles({"a": {"b"}, "b": set()}, allowed) == [
        "an allowed circle is gone: a, b"
    ]


def test_every_rule_has_files_that_it_is_about() -> None:
    graph = check_layers.read(check_layers.ROOT)
    patterns = [pattern for layer in check_layers.LAYERS for pattern in layer[1:]]
    patterns += [rule.files for rule in check_layers.WORDS]
    assert [
        pattern
        for pattern in patterns
        if not any(check_layers.re.fullmatch(pattern, path) for path in graph)
    ] == []
