"""Rust, Python and Node give the same results for addresses and for `next` pages.

The inputs are vectors with random changes, as in `mutants`. `ROUNDS=100000` tries more inputs,
`SEED=2` others.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

from portier_client import InvalidEmail, normalize_email, safe_next

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).parent
VECTORS = HERE.parent / "vectors"
ROUNDS = int(os.environ.get("ROUNDS", "3000"))
SEED = int(os.environ.get("SEED", "1"))
RUST = [str(HERE.parents[1] / "target/debug/examples/answers")]
NODE = [os.environ.get("NODE", "node"), str(HERE / "answers.mjs")]

# Letters that change under case mapping or normalization; characters that look like others;
# joiners, terminators, direction marks and invisible characters; lone surrogates, which only some
# languages have.
PIECES = list("@.@.//\\?#%:-_ aAzZ09\0\t\n\x7f")
PIECES += ["xn--", "%2f", "%2e", "%5c", "//", "..", "0x7f"]
PIECES += list("İıßẞſKÅΣςσﬀǆéе１Ⅷ①ªᏸꭰ𐐀𝐚😀") + list("＠．。｡／＼：％")
PIECES += list("\xad\u200b\u200c\u200d\u2060\ufeff\u0301\u0345\u202e\u05d0\u0661\u2028\u3000")
PIECES += list("\u0378\ue000\ufffd\U0010ffff\ud800\udc00")

Question = list[Any]


def questions() -> Iterator[Question]:
    """This number of questions; the same for the same seed."""
    chance = random.Random(SEED)
    # Most vectors are invalid addresses, and most changes make an address invalid.
    emails = {True: [], False: []}
    for case in cases("emails"):
        emails["email" in case["expect"]].append(case["input"])
    pages = [(case["next"], case.get("allowed_hosts", [])) for case in cases("next")]
    for _ in range(ROUNDS):
        email = chance.choice(emails[chance.random() < 0.8])
        yield ["normalize", changed(email, chance)]
        page, hosts = chance.choice(pages)
        yield ["next", changed(page, chance), hosts]


def cases(name: str) -> list[dict[str, Any]]:
    """The vectors of a file."""
    file: dict[str, Any] = json.loads((VECTORS / f"{name}.json").read_text(encoding="utf-8"))
    return list(file["cases"])


def changed(text: str, chance: random.Random) -> str:
    """The text with up to four insertions, replacements or deletions."""
    for _ in range(chance.randrange(5)):
        start = chance.randrange(len(text) + 1)
        end = start + chance.choice([0, 0, 1, 2])
        text = text[:start] + chance.choice([*PIECES, ""]) + text[end:]
    # Two surrogates side by side are one letter, also in Python.
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")


def by_python(question: Question) -> object:
    """The answer of this language."""
    if question[0] == "next":
        return safe_next(question[1], question[2])
    try:
        return normalize_email(question[1])
    except InvalidEmail as error:
        return {"code": error.code}


def by_program(command: list[str], asked: list[Question]) -> list[object]:
    """The answers of another language."""
    lines = "".join(f"{json.dumps(question)}\n" for question in asked)
    child = subprocess.run(command, input=lines, capture_output=True, encoding="utf-8", check=True)
    return [json.loads(line) for line in child.stdout.split("\n")[:-1]]


def is_text(question: Question) -> bool:
    """Whether Rust can represent the text: it has no lone surrogates."""
    return not any("\ud800" <= character <= "\udfff" for character in question[1])


def test_every_language_gives_the_same_answer() -> None:
    asked = list(questions())
    python = [by_python(question) for question in asked]
    assert by_program(NODE, asked) == python
    for_rust = [index for index, question in enumerate(asked) if is_text(question)]
    rust = by_program(RUST, [asked[index] for index in for_rust])
    assert rust == [python[index] for index in for_rust]
    # Some inputs are refused, and some accepted.
    for kind in ("normalize", "next"):
        answers = [found for (name, *_), found in zip(asked, python, strict=True) if name == kind]
        passed = sum(isinstance(found, str) for found in answers)
        assert 0.1 * ROUNDS < passed < 0.9 * ROUNDS, kind


def test_normalization_is_idempotent_in_every_language() -> None:
    normalized = [by_python(question) for question in questions() if question[0] == "normalize"]
    again = [["normalize", text] for text in normalized if isinstance(text, str)]
    for answers in (by_program(RUST, again), by_program(NODE, again)):
        assert answers == [text for _, text in again]
