"""Tests of the list of functions that are next to each other in the published packages."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "release"))

import link_order

COUNTS = """\
fl=(1) src/client.rs
ob=(1) /usr/lib/libc.so.6
fn=(1) malloc
1 2
ob=(2) /packages/_native.so
fn=(2) _ZN5tokio4poll17h0123456789abcdefE
cob=(1)
cfn=(1)
calls=1 0
fn=(3) 0x00000000001c4240
fn=(4) clone'2
ob=(1)
fn=(5) free
"""


def test_only_called_functions_of_the_library_are_listed() -> None:
    found = link_order.functions_of(Path("/packages/_native.so"), COUNTS)
    assert found == {"_ZN5tokio4poll17h0123456789abcdefE", "clone"}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("_ZN5tokio4poll17h0123456789abcdefE", "_ZN5tokio4poll17h*"),
        ("_ZN5tokio4poll17h0123456789abcdefE.438", "_ZN5tokio4poll17h*"),
        ("_ZN97_$LT$tokio..Task$GT$4poll17h0123456789abcdefE", "_ZN*_$LT$tokio..Task$GT$4poll17h*"),
        ("_RNvNtCslNYArtu3iFV_5alloc4sync4drop", "_RNvNtCs*_5alloc4sync4drop"),
        ("aws_lc_0_47_0_BN_div", "aws_lc_*_BN_div"),
        ("f" * 200, "f" * 140 + "*"),
    ],
)
def test_a_pattern_does_not_depend_on_the_build(function: str, expected: str) -> None:
    assert link_order.pattern(function) == expected


def test_the_list_has_one_pattern_in_each_line_and_no_hashes() -> None:
    script = link_order.SCRIPT.read_text(encoding="ascii")
    assert script.startswith(link_order.HEAD)
    assert script.endswith(link_order.TAIL)
    lines = script[len(link_order.HEAD) : -len(link_order.TAIL)].splitlines()
    names = [line.removeprefix("    *(.text*.").removesuffix(")") for line in lines]
    assert names == sorted({link_order.pattern(name) for name in names})
