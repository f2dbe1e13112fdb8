"""Our verdicts against those of PyJWT, joserfc, jose and jsonwebtoken, over vectors and mutants.

Where they differ, `disagreements.json` has to say why: a pattern for our verdict and one for
theirs, and a reason. `ROUNDS=100000` tries more mutants, `SEED=2` others.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from pathlib import Path

import pytest
import verdicts
from cases import tokens
from mutants import Mutant, mutants

HERE = Path(__file__).parent
ROUNDS = int(os.environ.get("ROUNDS", "3000"))
SEED = int(os.environ.get("SEED", "1"))
LIBRARIES = ("pyjwt", "joserfc", "jose", "jsonwebtoken")
RULES = json.loads((HERE / "disagreements.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def corpus() -> list[Mutant]:
    """The tokens of the vectors, for clients that are configured as usual."""
    key_set = json.dumps(tokens.setting()["key_set"])
    cases = json.loads((HERE.parent / "vectors" / "tokens.json").read_text(encoding="utf-8"))[
        "cases"
    ]
    return [
        Mutant(f"vector {case['id']}", case["token"], key_set)
        for case in cases
        if "options" not in case
    ]


def compared(tried: list[Mutant]) -> tuple[list[str], Counter[str]]:
    """The disagreements without a reason, and how often each reason was needed."""
    unexplained: list[str] = []
    needed: Counter[str] = Counter()
    mine = [verdicts.ours(mutant) for mutant in tried]
    others = {
        "pyjwt": [verdicts.verdict(verdicts.by_pyjwt, mutant) for mutant in tried],
        "joserfc": [verdicts.verdict(verdicts.by_joserfc, mutant) for mutant in tried],
        "jose": verdicts.by_jose(tried),
        "jsonwebtoken": verdicts.by_jsonwebtoken(tried),
    }
    for library in LIBRARIES:
        for mutant, our, their in zip(tried, mine, others[library], strict=True):
            if (our == verdicts.ACCEPTED) == (their == verdicts.ACCEPTED):
                needed["agreed"] += 1
                continue
            reason = explanation(library, our, their, mutant.name)
            if reason is None:
                unexplained.append(f"{mutant.name}: ours={our!r} {library}={their!r}")
            else:
                needed[reason] += 1
    return unexplained, needed


def explanation(library: str, our: str, their: str, name: str) -> str | None:
    """The reason the list has for a disagreement."""
    for rule in RULES:
        if (
            library in rule["libraries"]
            and re.fullmatch(rule["ours"], our)
            and re.fullmatch(rule["theirs"], their)
            and re.search(rule.get("case", ""), name)
        ):
            return str(rule["reason"])
    return None


def test_the_vectors(corpus: list[Mutant]) -> None:
    unexplained, needed = compared(corpus)
    assert unexplained == []
    assert needed["agreed"] > len(corpus)


def test_mutants() -> None:
    keys = [key for key in tokens.usable() + tokens.unusable() if "d" not in key]
    tried = list(mutants(SEED, ROUNDS, keys))
    unexplained, needed = compared(tried)
    assert unexplained == []
    assert needed["agreed"] > ROUNDS


def test_what_we_accept_and_others_refuse_is_named_case_by_case() -> None:
    accepted = [rule for rule in RULES if rule["ours"] == verdicts.ACCEPTED]
    assert all(rule["theirs"] not in ("", ".*") for rule in accepted)
    assert all(rule["reason"] for rule in RULES)
