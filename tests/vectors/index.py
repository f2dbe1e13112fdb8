"""Makes README.md: the families of cases, their numbers, and the rules behind them."""

from collections import Counter
from typing import Any

Cases = dict[str, list[dict[str, Any]]]

HEAD = """# Test vectors

The cases on which all languages must agree. Every case has an `id`, what it is `about`, what it has
to lead to (`expect`), and the `basis` of that: a rule of the protocol or an RFC, a published
advisory, or a policy of ours. Rust, Python and Node replay every file and compare the exact codes.

The cases with a family are put together and signed by `cases/`, deterministically, from the keys in
`../keys`; `generate.py` writes their files and this page, and `generate.py --check` says whether
they are what it would write. The others are written by hand. `web.md` describes `web.json`,
`web_codes.json` and `web_sessions.json`.

"""


def page(files: Cases) -> str:
    """The whole page, from the cases of each file."""
    total = sum(len(cases) for cases in files.values())
    lines = [f"{HEAD}There are {total} cases.\n"]
    lines += ["| file | family | cases | refused |", "|---|---|--:|--:|"]
    for name, cases in files.items():
        families = Counter(family(case) for case in cases)
        refused = Counter(family(case) for case in cases if codes(case))
        lines += [
            f"| `{name}` | {kind} | {number} | {refused[kind]} |"
            for kind, number in families.items()
        ]
    lines += ["", "## What they rest on", ""]
    for name, cases in files.items():
        found: dict[str, set[str]] = {}
        for case in cases:
            found.setdefault(family(case), set()).update(case["basis"].split("; "))
        lines.append(f"`{name}`\n")
        lines += [f"- {kind}: {'; '.join(sorted(bases))}" for kind, bases in found.items()]
        lines.append("")
    lines += ["## What refuses", "", "| code | cases |", "|---|--:|"]
    seen = Counter(code for cases in files.values() for case in cases for code in set(codes(case)))
    lines += [f"| `{code}` | {number} |" for code, number in sorted(seen.items())]
    return "\n".join(lines) + "\n"


def family(case: dict[str, Any]) -> str:
    """The name of the case's family; a handwritten case has none."""
    return str(case.get("family", "by hand"))


def codes(case: dict[str, Any]) -> list[str]:
    """The codes of the errors that a case expects."""
    expect = case.get("expect", [])
    outcomes = expect if isinstance(expect, list) else [expect]
    found = [one["code"] for one in outcomes if isinstance(one, dict) and "code" in one]
    found += [
        step["expect"]["error"] for step in case.get("steps", []) if step["expect"].get("error")
    ]
    # A broker may vouch for an address that nobody can type.
    return found + [code for code in [case.get("authenticate")] if code == "invalid_email"]
