"""Which licence of a crate is chosen, and the texts of those that are."""

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

# Where a crate offers several licences, the first of these whose text it contains is chosen. A text
# is recognized by the words here.
TEXTS = {
    "MIT": "Permission is hereby granted, free of charge",
    "ISC": "Permission to use, copy, modify",
    "Zlib": "warranty. In no event will the authors be held liable",
    "BSD-3-Clause": "Redistribution and use in source and binary forms",
    "BSD-2-Clause": "Redistribution and use in source and binary forms",
    "Unicode-3.0": "UNICODE LICENSE V3",
    "CDLA-Permissive-2.0": "Community Data License Agreement - Permissive - Version 2.0",
    "BSL-1.0": "Boost Software License",
    "Apache-2.0": "Apache License",
    "MIT-0": "Permission is hereby granted, free of charge",
    "Apache-2.0 WITH LLVM-exception": "LLVM Exceptions",
}
PREFERENCE = list(TEXTS)

# What the name of a file says of the licence in it.
MARKS = {
    "apache": {"Apache-2.0"},
    "boost": {"BSL-1.0"},
    "bsl": {"BSL-1.0"},
    "llvm": {"Apache-2.0 WITH LLVM-exception"},
    "mit": {"MIT", "MIT-0"},
    "unlicense": {"Unlicense"},
    "zlib": {"Zlib"},
}

MIT = """\
Copyright (c) {holders}

Permission is hereby granted, free of charge, to any person obtaining a copy of this software
and associated documentation files (the "Software"), to deal in the Software without
restriction, including without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit persons to whom the
Software is furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all copies or
substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING
BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND
NONINFRINGEMENT. IN NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE SOFTWARE.
"""

# Dependencies of the standard library for its tests, its build, and systems that no package is for.
ELSEWHERE = re.compile(
    r"cc|shlex|getopts|rand\w*|dlmalloc|fortanix-sgx-abi|hermit-abi|moto-rt|r-efi(-alloc)?|vex-sdk|wasi|wit-bindgen"
)

LICENCE_FILE = re.compile(r"(licen[cs]e|copying|copyright|notice|unlicense)", re.IGNORECASE)


@dataclass(frozen=True)
class Crate:
    """A crate that is linked, with the texts of its licences by the names of their files."""

    name: str
    version: str
    licence: str
    holders: str
    files: dict[str, str]

    @property
    def label(self) -> str:
        """The crate in the notices."""
        return f"{self.name} {self.version}"


def of_package(package: dict[str, Any]) -> Crate:
    """A crate as `cargo metadata` describes it, with the texts in its folder."""
    folder = Path(package["manifest_path"]).parent
    files = {
        path.name: path.read_text(encoding="utf-8", errors="replace")
        for path in sorted(folder.iterdir())
        if path.is_file() and LICENCE_FILE.match(path.name) and path.suffix != ".rs"
    }
    holders = (
        ", ".join(author.split(" <")[0] for author in package["authors"])
        or f"the authors of {package['name']}"
    )
    return Crate(package["name"], package["version"], package["license"], holders, files)


def chosen_texts(crate: Crate) -> Iterator[str]:
    """The texts of the licences that are chosen for a crate."""
    if not crate.files and "MIT" in crate.licence:
        yield MIT.format(holders=crate.holders)
        return
    everything = "\n".join(crate.files.values())
    at_hand = {
        name
        for name, words in TEXTS.items()
        if " ".join(words.split()) in " ".join(everything.split())
    }
    chosen = choose(crate.licence, at_hand)
    missing = chosen - at_hand
    if missing:
        sys.exit(f"no text of a licence: crate={crate.name} licence={', '.join(sorted(missing))}")
    for name, text in crate.files.items():
        marked = [licences for mark, licences in MARKS.items() if mark in name.lower()]
        if not marked or any(licences & chosen for licences in marked):
            yield text


def choose(expression: str, at_hand: set[str]) -> set[str]:
    """Choose licences from an SPDX expression, those first whose text is at hand."""
    tokens = re.findall(r"\(|\)|[^\s()]+", expression.replace("/", " OR "))

    def alternatives() -> set[str]:
        options = [together()]
        while tokens and tokens[0] == "OR":
            tokens.pop(0)
            options.append(together())
        return min(options, key=cost)

    def together() -> set[str]:
        every = one()
        while tokens and tokens[0] == "AND":
            tokens.pop(0)
            every |= one()
        return every

    def one() -> set[str]:
        token = tokens.pop(0)
        if token == "(":
            inner = alternatives()
            tokens.pop(0)
            return inner
        if tokens and tokens[0] == "WITH":
            tokens.pop(0)
            token = f"{token} WITH {tokens.pop(0)}"
        return {token}

    def cost(option: set[str]) -> tuple[int, int]:
        ranks = [PREFERENCE.index(name) if name in TEXTS else len(TEXTS) for name in option]
        return len(option - at_hand), max(ranks)

    return alternatives()


def standard_library(rustc: str) -> list[Crate]:
    """Rust's standard library and its dependencies, as the toolchain documents them."""
    folder = Path(ask(rustc, "--print", "sysroot").strip(), "share/doc/rust")
    page = folder / "COPYRIGHT-library.html"
    if not page.exists():
        sys.exit("the toolchain has no notices of the standard library: install Rust with rustup")
    version = ask(rustc, "--version").split()[1]
    reader = StandardLibrary()
    reader.feed(page.read_text(encoding="utf-8"))
    itself = Crate("std", version, "MIT OR Apache-2.0", "The Rust Project Developers", {})
    return [itself, *(crate for crate in reader.crates() if not ELSEWHERE.fullmatch(crate.name))]


class StandardLibrary(HTMLParser):
    """Reads the page of notices that comes with a toolchain."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.pairs: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin the text of an element."""
        if tag in {"h3", "code", "pre", "b", "p", "a"}:
            self.tags.append(tag)
            self.pairs.append((tag, ""))

    def handle_endtag(self, tag: str) -> None:
        """Begin the text behind an element."""
        if self.tags and self.tags[-1] == tag:
            self.tags.pop()
        self.pairs.append(("", ""))

    def handle_data(self, data: str) -> None:
        """Add to the text."""
        tag, before = self.pairs[-1] if self.pairs else ("", "")
        if self.pairs:
            self.pairs[-1] = (tag, before + data)

    def crates(self) -> Iterator[Crate]:
        """The crates of the page."""
        crate: Crate | None = None
        label = file = ""
        for tag, text in self.pairs:
            if tag == "h3":
                if crate:
                    yield crate
                name, version = re.fullmatch(r"\W*([\w-]+?)-(\d.*)", text.strip()).groups()  # type: ignore[union-attr]
                crate = Crate(name, version, "", f"the authors of {name}", {})
            elif crate is None:
                continue
            elif tag == "b":
                label = text
            elif tag == "code":
                file = text
            elif tag == "pre":
                crate.files[file] = text
            elif not tag and label == "License:" and text.strip():
                crate = Crate(crate.name, crate.version, text.strip(), crate.holders, crate.files)
                label = ""
        if crate:
            yield crate


def ask(*command: str) -> str:
    """What a command prints."""
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout
