"""Turns the docstrings, which are reStructuredText, into Markdown for the reference."""

from __future__ import annotations

import builtins
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import griffe

if TYPE_CHECKING:
    from collections.abc import Iterator

# :class:`name`, :class:`~package.name`, :class:`title <package.name>`
ROLE = re.compile(r":(?:attr|class|data|func|meth|mod):`(?:([^`<]+) <)?(~?)([\w.]+)>?`")
LITERAL = re.compile(r"::\n\n((?:(?: {4}.*)?\n)+)")
TERM = re.compile(r"^(``.+``)\n((?: {4}.*\n?)+)", flags=re.MULTILINE)
SESSION = re.compile(r"^>>> (?:.+\n?)+", flags=re.MULTILINE)


class Docstrings(griffe.Extension):
    """Is called when the package is read."""

    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        """Replace every docstring."""
        for scope in objects(pkg):
            if scope.docstring:
                scope.docstring.value = markdown(scope.docstring.value, scope)


def objects(scope: griffe.Object) -> Iterator[griffe.Object]:
    """The object and everything that is defined in it."""
    yield scope
    for member in scope.members.values():
        if isinstance(member, griffe.Object):
            yield from objects(member)


def markdown(text: str, scope: griffe.Object) -> str:
    """The docstring in Markdown."""
    text = LITERAL.sub(lambda it: f":\n\n{fence('python', textwrap.dedent(it[1]))}", f"{text}\n")
    text = SESSION.sub(lambda it: fence("pycon", without_flags(it[0])), text)
    text = TERM.sub(r"\1\n:\2\n", text)
    text = ROLE.sub(lambda it: reference(it[3], title(*it.groups()), scope), text)
    if role := re.search(r"(?<!\w):\w+:`[^`]+`", text):
        message = f"{scope.path}: a role that is not known role={role[0]}"
        raise ValueError(message)
    return text


def title(given: str | None, short: str, name: str) -> str:
    """What a reference says."""
    return given or (name.rpartition(".")[2] if short else name)


def fence(language: str, code: str) -> str:
    """A code block."""
    return f"```{language}\n{code.strip()}\n```\n\n"


def without_flags(session: str) -> str:
    """An interactive session without the flags for doctest."""
    return re.sub(r"  # doctest: .+", "", session)


def reference(name: str, shown: str, scope: griffe.Object) -> str:
    """A link to what is named; the build fails if nothing has the name."""
    code = f"<code>{shown}</code>"
    first = name.partition(".")[0]
    if hasattr(builtins, first) or first in sys.stdlib_module_names:
        return code
    return f'<autoref identifier="{path_of(name, scope)}">{code}</autoref>'


def path_of(name: str, scope: griffe.Object) -> str:
    """The full name of what a docstring names."""
    first, dot, rest = name.partition(".")
    place: griffe.Object | None = scope
    while place and first != scope.package.name:
        if first in place.all_members:
            return f"{place.all_members[first].canonical_path}{dot}{rest}"
        place = place.parent
    if place is None:
        return next(
            (f"{it.path}.{name}" for it in public_modules(scope.package) if first in it.members),
            name,
        )
    return name


def public_modules(package: griffe.Module) -> list[griffe.Module]:
    """The modules that people import from, those with short names first."""
    modules = [it for name, it in package.modules.items() if not name.startswith("_")]
    return [package, *sorted(modules, key=lambda it: len(it.name))]
