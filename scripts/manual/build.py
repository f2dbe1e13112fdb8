"""Builds the site of the manual into `target/manual/site`, from the pages and the sources.

It needs no network. Broken links, pages outside of the navigation and warnings of tools are errors.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import links
import pages
import reference
from pages import ROOT

HERE = Path(__file__).resolve().parent
TARGET = ROOT / "target/manual"
STAGED = TARGET / "pages"
SITE = TARGET / "site"


def main() -> int:
    """Returns 1 if something is wrong."""
    shutil.rmtree(TARGET, ignore_errors=True)
    stage()
    typedoc()
    rustdoc()
    nav = json.dumps(navigation(), ensure_ascii=False).replace('": ', '" = ')
    settings = (HERE / "zensical.toml").read_text(encoding="utf-8")
    (TARGET / "zensical.toml").write_text(settings.replace("nav = []", f"nav = {nav}"))
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    run([sys.executable, "-m", "zensical", "build", "--strict"], TARGET, environment)
    findings = links.check(SITE)
    print("\n".join(findings) or f"the site of the manual is {SITE.relative_to(ROOT)}/index.html")
    return 1 if findings else 0


def stage() -> None:
    """Writes the pages, what they show, and the pages of the reference."""
    shutil.copytree(ROOT / "docs", STAGED, ignore=shutil.ignore_patterns("*.md"))
    for file in (HERE / "style.css", ROOT / "node/examples/shared/static/icon.svg"):
        shutil.copy(file, STAGED)
    for name, place in pages.pages().items():
        write(place, pages.staged(name))
    for name in reference.modules():
        write(f"reference/python/{name}.md", reference.page(name))
    write("reference/index.md", reference.index())


def write(place: str, text: str) -> None:
    """Writes a page to its place."""
    path = STAGED / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def typedoc() -> None:
    """The reference of the npm package."""
    program = HERE / "node_modules/typedoc/bin/typedoc"
    options = ["--options", str(HERE / "typedoc.config.mjs"), "--logLevel", "Warn"]
    node = os.environ.get("NODE", "node")
    run([node, str(program), *options, "--out", str(STAGED / "reference/node")], ROOT / "node")


def rustdoc() -> None:
    """The reference of the crate, which Cargo has made."""
    shutil.copytree(ROOT / "target/doc", STAGED / "reference/rust")


def navigation() -> list[object]:
    """The pages in the order of `docs/index.md`, and the reference."""
    tree: list[object] = [{"Home": "index.md"}]
    for headings, title, place in pages.navigation():
        level = tree
        for heading in headings:
            level = section(level, heading)
        level.append({title: place})
    level = section(tree, "Reference")
    level.append({"References of the code": "reference/index.md"})
    for name in reference.modules():
        section(level, "Python").append({name: f"reference/python/{name}.md"})
    missing = set(pages.pages().values()) - {place for *_, place in pages.navigation()}
    missing -= {"index.md", "contents.md"}
    if missing:
        raise SystemExit(f"docs/index.md has no link to a page pages={sorted(missing)}")
    return tree


def section(level: list[object], heading: str) -> list[object]:
    """The entries below a heading."""
    for entry in level:
        if isinstance(entry, dict) and isinstance(entry.get(heading), list):
            return entry[heading]
    level.append({heading: (entries := [])})
    return entries


def run(command: list[str], folder: Path, environment: dict[str, str] | None = None) -> None:
    """Runs a program; shows what it says if it fails."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        check=False,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise SystemExit(re.sub(r"\x1b\[[\d;]*m", "", done.stdout))


if __name__ == "__main__":
    sys.exit(main())
