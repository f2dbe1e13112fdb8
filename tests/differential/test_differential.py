"""Compares our verdicts with PyJWT, joserfc, jose and jsonwebtoken, for vectors and mutants.

If they differ, `disagreements.json` must contain a rule: a pattern for our verdict, one for
theirs, and a reason. `ROUNDS=100000` tries more mutants, `SEED=2` others.
"""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import verdicts
from cases import tokens
from mutants import Mutant, mutants

HERE = Path(__file__).parent
ENOUGH_ROUNDS = 3000
ROUNDS = int(os.environ.get("ROUNDS", str(ENOUGH_ROUNDS)))
SEED = int(os.environ.get("SEED", "1"))
LIBRARIES = ("pyjwt", "joserfc", "jose", "jsonwebtoken")
RULES = json.loads((HERE / "disagreements.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def corpus() -> list[Mutant]:
    """The tokens of the vectors, for clients with the default options."""
    key_set = json.dumps(tokens.setting()["key_set"])
    cases = json.loads((HERE.parent / "vectors" / "tokens.json").read_text(encoding="utf-8"))[
        "cases"
    ]
    return [
        Mutant(f"vector {case['id']}", case["token"], key_set)
        for case in cases
        if "options" not in case
    ]


@pytest.fixture(scope="module")
def changed() -> list[Mutant]:
    """Changed tokens and key sets."""
    keys = [key for key in tokens.usable() + tokens.unusable() if "d" not in key]
    return list(mutants(SEED, ROUNDS, keys))


@dataclass
class Comparison:
    """The disagreements without a rule, and the number of other results."""

    unexplained: list[str] = field(default_factory=list)
    agreed: int = 0
    needed: set[int] = field(default_factory=set)
    """The numbers of the rules that were used."""


@pytest.fixture(scope="module")
def of_corpus(corpus: list[Mutant]) -> Comparison:
    """The verdicts of all libraries on the vectors."""
    return compared(corpus)


@pytest.fixture(scope="module")
def of_changed(changed: list[Mutant]) -> Comparison:
    """The verdicts of all libraries on the mutants."""
    return compared(changed)


def compared(tried: list[Mutant]) -> Comparison:
    """Compares the verdicts of all libraries."""
    comparison = Comparison()
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
                comparison.agreed += 1
                continue
            rule = rule_for(library, our, their, mutant.name)
            if rule is None:
                disagreement = f"{mutant.name}: ours={our!r} {library}={their!r}"
                comparison.unexplained.append(disagreement)
            else:
                comparison.needed.add(rule)
    return comparison


def rule_for(library: str, our: str, their: str, name: str) -> int | None:
    """The number of the rule that explains a disagreement."""
    for number, rule in enumerate(RULES):
        if (
            library in rule["libraries"]
            and re.fullmatch(rule["ours"], our)
            and re.fullmatch(rule["theirs"], their)
            and re.search(rule.get("case", ""), name)
        ):
            return number
    return None


def test_vectors_are_judged_like_other_libraries_judge_them(
    corpus: list[Mutant], of_corpus: Comparison
) -> None:
    assert of_corpus.unexplained == []
    assert of_corpus.agreed > len(corpus)


def test_mutated_tokens_are_judged_like_other_libraries_judge_them(of_changed: Comparison) -> None:
    assert of_changed.unexplained == []
    assert of_changed.agreed > ROUNDS


def test_each_rule_has_a_reason_and_a_use(of_corpus: Comparison, of_changed: Comparison) -> None:
    """A rule for tokens that only this library accepts must name the messages of the others."""
    for rule in RULES:
        assert rule["reason"]
        if rule["ours"] == verdicts.ACCEPTED:
            assert not re.fullmatch(rule["theirs"], "any words at all"), rule
    used = of_corpus.needed | of_changed.needed
    idle = [rule for number, rule in enumerate(RULES) if number not in used]
    assert idle == [] or ROUNDS < ENOUGH_ROUNDS
