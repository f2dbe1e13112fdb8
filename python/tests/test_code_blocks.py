"""Every code block of the manual is executed, or the table says why not."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from jinja2 import Environment

ROOT = Path(__file__).resolve().parents[2]
READMES = [ROOT / language / "README.md" for language in ("core", "node", "python")]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *READMES])
GUIDES = {ROOT / "README.md", *ROOT.glob("docs/frameworks/*.md")}

FRAMEWORKS = (
    "files of the sites that `make test-frameworks` builds, compared by documentation.test.mjs"
)
EXECUTED = {
    "python": "test_documentation.py, django/test_manual.py, testing/test_manual.py",
    "js": "node/tests/package/documentation.test.mjs, node/tests/client/readme.test.mjs",
    "js playwright": "node/tests/package/documentation.test.mjs",
    "js jest": "node/tests/tools/examples.test.mjs",
    "js node": "node/tests/tools/examples.test.mjs",
    "js vitest": "node/tests/tools/examples.test.mjs",
    "ts": "node/tests/package/documentation.test.mjs",
    "javascript": FRAMEWORKS,
    "jsx": FRAMEWORKS,
    "astro": FRAMEWORKS,
    "rust": "cargo test --doc",
    "rust,no_run": "cargo test --doc compiles it; core/tests/axum.rs logs in to a similar site",
}
NOT_EXECUTED = {
    "": "a drawing",
    # The rest is in tests/e2e/browser/test_manual.py, django/test_manual.py, and below.
    "html": "the suites have neither htmx nor Turbo",
    # core/tests/broker/modes.rs reads the scenario.
    "json": "an answer with a random code",
    "nginx": "compared below with what tests/servers starts",
    "rust,ignore": "needs tower-http and tower-sessions, which nothing else here needs",
    "sh": "compared below with what there is; package managers and servers are started elsewhere",
    "text": "URLs, or what a program prints",
    "toml": "a setting of pytest, which testing/test_pytest_plugin.py sets",
    "yaml": "settings of Prometheus, Kubernetes and Docker, which the suites do not install",
}


class Block(NamedTuple):
    page: Path
    indent: str
    info: str
    code: str


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    found = re.findall(r"^( *)```(.*)\n((?:.*\n)*?)\1```$", text, flags=re.MULTILINE)
    return [Block(page, *block) for block in found]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def blocks(info: str) -> list[Block]:
    return [block for block in BLOCKS if block.info == info]


def name_of(page: Path) -> str:
    return str(page.relative_to(ROOT))


def test_every_code_block_is_executed_or_has_a_reason() -> None:
    assert {block.info for block in BLOCKS} == {*EXECUTED, *NOT_EXECUTED}
    # What executes blocks finds them at the beginning of a line only.
    assert {block.info for block in BLOCKS if block.indent} <= {"sh"}


def test_typescript_is_on_the_pages_whose_blocks_are_executed() -> None:
    pages = [block.page.stem for block in blocks("ts")]
    assert pages == ["fastify", "nest", "nest", "nest"]


def test_pages_with_rust_are_documentation_of_the_crate() -> None:
    source = (ROOT / "core/src/lib.rs").read_text(encoding="utf-8")
    included = re.findall(r'include_str!\("\.\./(.*?)"\)', source)
    pages = {ROOT / name if name.startswith("docs/") else ROOT / "core" / name for name in included}
    assert {block.page for block in [*blocks("rust"), *blocks("rust,no_run")]} == pages


def test_the_page_for_another_browser_has_the_fields_and_the_script_of_the_examples() -> None:
    (template,) = [block for block in blocks("html") if "confirmation.fields" in block.code]
    question = SimpleNamespace(email="a@b.example", fields=[("one", "1"), ("two", '"')])
    page = Environment(autoescape=True).from_string(template.code).render(confirmation=question)
    assert "Sign in as a@b.example on" in page
    assert '<input type="hidden" name="one" value="1">' in page
    assert '<input type="hidden" name="two" value="&#34;">' in page
    (script,) = [block for block in blocks("javascript") if "form.confirm" in block.code]
    example = (ROOT / "node/examples/shared/static/once.js").read_text(encoding="utf-8")
    assert script.code in example


def test_the_configuration_of_nginx_is_that_of_the_tests() -> None:
    tested = (ROOT / "tests/servers/proxies.py").read_text(encoding="utf-8")
    tested = re.sub(r'"?\{prefix\}"?', "/app", tested).replace("{upstream}", "8000")
    (block,) = blocks("nginx")
    for line in block.code.splitlines()[1:-1]:
        assert line.strip() in tested


def lines_of_shells() -> list[tuple[str, str]]:
    """The lines of all shell blocks, with the names of their pages."""
    return [
        (name_of(block.page), line)
        for block in blocks("sh")
        for line in block.code.replace("\\\n", "").splitlines()
    ]


@pytest.mark.parametrize("command", ["broker", "doctor"])
def test_the_manual_uses_options_that_the_command_has(command: str) -> None:
    run = [sys.executable, "-m", "portier_client", command, "--help"]
    shown = subprocess.run(run, check=True, capture_output=True, text=True, timeout=60).stdout
    options = set(re.findall(r"--[a-z-]+", shown))
    pattern = rf"(?:python -m portier_client|npx portier-client) {command}(.*?)(?:#|&|$)"
    used = [found for _, line in lines_of_shells() for found in re.findall(pattern, line)]
    assert used
    assert {option for text in used for option in re.findall(r"--[a-z-]+", text)} <= options


def test_the_manual_uses_targets_that_the_makefile_has() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z0-9-]+):", makefile, flags=re.MULTILINE))
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    used = {found for text in texts for found in re.findall(r"(?:^|`)make ([a-z0-9-]+)", text)}
    assert len(used) > 20
    assert used <= targets


def test_the_manual_installs_extras_that_the_package_has() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    extras = set(settings["project"]["optional-dependencies"])
    pattern = r"portier-client\[(\w+)\]"
    used = {found for _, line in lines_of_shells() for found in re.findall(pattern, line)}
    assert used
    assert used <= extras


@pytest.mark.parametrize(
    "page",
    sorted({block.page for block in blocks("js")} & GUIDES),
    ids=name_of,
)
def test_a_page_installs_what_its_first_example_imports(page: Path) -> None:
    lines = [line for name, line in lines_of_shells() if name == name_of(page)]
    install = next(line for line in lines if line.startswith("npm install "))
    code = next(block.code for block in blocks("js") if block.page == page)
    imported = set(re.findall(r'from "(?!node:)((?:@[^/"]+/)?[^/"]+)', code))
    assert imported
    assert imported <= {*install.split()}
