"""What compiled files must have: protection on Linux, and no path of this machine."""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import environment
from elftools.elf.dynamic import DynamicSection
from elftools.elf.elffile import ELFFile
from targets import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

EXECUTABLE = 1
NOW = 1
BIND_NOW = 8


def findings_in(archive: Path) -> list[str]:
    """What is wrong with the compiled files in a package."""
    found = []
    for name, content in compiled_files(archive):
        found += [f"{archive.name}: {name}: {finding}" for finding in findings(content)]
    return found


def findings(content: bytes) -> list[str]:
    """What is wrong with a compiled file."""
    found = [f"contains the path {path}" for path in paths_of_the_machine(content)]
    if content.startswith(b"\x7fELF"):
        found += missing_protection(ELFFile(io.BytesIO(content)))
    return found


def libraries(archive: Path) -> set[str]:
    """The libraries that the compiled files in a package need."""
    return {
        tag.needed
        for _, content in compiled_files(archive)
        for part in ELFFile(io.BytesIO(content)).iter_sections()
        if isinstance(part, DynamicSection)
        for tag in part.iter_tags("DT_NEEDED")
    }


def paths_of_the_machine(content: bytes) -> list[str]:
    """The paths in a file that begin with a folder of this machine."""
    folders = {ROOT, Path.home(), environment.CARGO_HOME}
    beginnings = b"|".join(re.escape(str(folder).encode()) for folder in sorted(folders))
    found = re.finditer(rb"(?:%s)/[\w./-]+" % beginnings, content)
    return sorted({path[0].decode() for path in found})


def missing_protection(elf: ELFFile) -> list[str]:
    """What the compiler or the linker has not done against overflows."""
    segments = {segment["p_type"]: segment for segment in elf.iter_segments()}
    dynamic = next(part for part in elf.iter_sections() if isinstance(part, DynamicSection))
    entries = {tag.entry.d_tag: tag.entry.d_val for tag in dynamic.iter_tags()}
    symbols = {symbol.name for symbol in elf.get_section_by_name(".dynsym").iter_symbols()}
    is_glibc = b"GLIBC_" in elf.get_section_by_name(".dynstr").data()
    stack = segments.get("PT_GNU_STACK")
    wanted = {
        "the stack is not executable": stack is not None and not stack["p_flags"] & EXECUTABLE,
        "relocations are read-only": "PT_GNU_RELRO" in segments,
        "symbols are bound at the start": bool(
            entries.get("DT_FLAGS", 0) & BIND_NOW or entries.get("DT_FLAGS_1", 0) & NOW
        ),
        "no folder of libraries is named": not entries.keys() & {"DT_RPATH", "DT_RUNPATH"},
        "the stack is checked": "__stack_chk_fail" in symbols,
        # musl has no functions that check.
        "buffers are checked": not is_glibc or any(name.endswith("_chk") for name in symbols),
        "symbols are stripped": elf.get_section_by_name(".symtab") is None,
        "the list of crates is in it": (
            not environment.auditable() or elf.get_section_by_name(".dep-v0") is not None
        ),
    }
    return [f"not so: {what}" for what, is_so in wanted.items() if not is_so]


def compiled_files(archive: Path) -> Iterator[tuple[str, bytes]]:
    """The compiled files in a wheel or in a package of npm."""
    compiled = re.compile(r"\.(so|pyd|dylib|dll|node)$")
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as zipped:
            for name in filter(compiled.search, zipped.namelist()):
                yield name, zipped.read(name)
    if archive.suffix == ".tgz":
        with tarfile.open(archive) as packed:
            for member in packed:
                file = packed.extractfile(member) if compiled.search(member.name) else None
                if file is not None:
                    yield member.name, file.read()
