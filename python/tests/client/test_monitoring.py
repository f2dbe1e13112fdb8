"""The dashboard and the alerting rules: everything that their queries name exists."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from portier_client import _native
from portier_client.metrics import _collect, exposition

from .test_metrics import busy

if TYPE_CHECKING:
    from collections.abc import Iterator

DOCS = Path(__file__).parents[3] / "docs"
RULES = (DOCS / "monitoring/alerts.yml").read_text(encoding="utf-8")
DASHBOARD = json.loads((DOCS / "monitoring/grafana.json").read_text(encoding="utf-8"))

# Those that Prometheus adds to each series.
ADDED = {"job", "instance"}
CODES = {code for code, *_ in _native.codes()}
FAULTS = {code for code, *_, is_fault in _native.codes() if is_fault}


def alerts() -> dict[str, dict[str, str]]:
    """The rules by name; the file is YAML of a simple form."""
    found = {}
    for block in RULES.split("      - alert: ")[1:]:
        name, _, rest = block.partition("\n")
        match = re.search(r"expr: (?:>-\n)?(.*?)\n        (?:for|labels):", rest, re.DOTALL)
        assert match, name
        summary = re.search(r"summary: (.+)", rest)
        description = re.search(r"description: (.+)", rest)
        severity = re.search(r"severity: (\w+)", rest)
        assert summary, name
        assert description, name
        assert severity, name
        found[name] = {
            "expr": " ".join(match[1].split()),
            "severity": severity[1],
            "templates": summary[1] + description[1],
        }
    return found


def queries() -> Iterator[Any]:
    for panel in DASHBOARD["panels"]:
        for target in panel["targets"]:
            legend = target["legendFormat"]
            yield pytest.param(target["expr"], legend, id=f"{panel['title']} {target['refId']}")
    for variable in DASHBOARD["templating"]["list"][1:]:
        yield pytest.param(variable["query"]["query"], "", id=f"variable {variable['name']}")
    for name, rule in alerts().items():
        yield pytest.param(rule["expr"], rule["templates"], id=name)


def series() -> dict[str, set[str]]:
    """The labels of each series."""
    found = {}
    for metric in _collect({"shop": busy().client}):
        labels = {label["name"] for sample in metric["samples"] for label in sample["labels"]}
        if metric["kind"] == "histogram":
            found[metric["name"] + "_bucket"] = labels | {"le"}
            found |= dict.fromkeys([metric["name"] + "_sum", metric["name"] + "_count"], labels)
        else:
            found[metric["name"]] = labels
    return found


@pytest.mark.parametrize(("query", "template"), [*queries()])
def test_a_query_names_what_the_exposition_has(query: str, template: str) -> None:
    known = series()
    names = set(re.findall(r"\bportier_\w+", query))
    assert names
    assert names <= {*known}
    used = set().union(*(known[name] for name in names)) | ADDED
    for selector in re.findall(r"\{(.*?)\}", query):
        matchers = re.findall(r'(\w+)(?:=~|=|!=|!~)"(.*?)"', selector)
        assert matchers
        for label, value in matchers:
            assert label in used
            if label == "code":
                assert set(value.split("|")) <= CODES
    for labels in re.findall(r"\b(?:by|on|without) \((.*?)\)", query):
        assert {label.strip() for label in labels.split(",")} <= used
    for label in re.findall(r"label_values\(.*, (\w+)\)", query):
        assert label in used
    shown = re.findall(r"\{\{ ?(?:\$labels\.)?(\w+)(?= ?\}\})", template)
    assert set(shown) <= used


def test_the_metrics_of_the_test_have_values() -> None:
    assert all(labels for labels in series().values())


def test_the_series_are_those_of_an_exposition() -> None:
    text = exposition({"shop": busy().client})
    found = re.findall(r"^(portier_\w+)\{(.*)\} ", text, re.MULTILINE)
    shown = {name: set(re.findall(r'(\w+)="', labels)) for name, labels in found}
    assert shown == series()


def test_every_metric_is_on_the_dashboard() -> None:
    text = json.dumps(DASHBOARD)
    assert [name for name in series() if name not in text] == []


def test_faults_are_those_of_the_library() -> None:
    texts = [RULES, json.dumps(DASHBOARD)]
    lists = [
        set(found.split("|")) for text in texts for found in re.findall(r"[\w|]*internal", text)
    ]
    assert len(lists) >= 3
    assert all(listed == FAULTS for listed in lists)


def test_parentheses_and_quotes_are_closed() -> None:
    expressions = [rule["expr"] for rule in alerts().values()]
    expressions += [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for expression in expressions:
        for opening, closing in ("()", "{}", "[]"):
            assert expression.count(opening) == expression.count(closing), expression
        assert expression.count('"') % 2 == 0


def test_panels_do_not_overlap_and_have_ids() -> None:
    places: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        x, y, width, height = (panel["gridPos"][key] for key in "xywh")
        assert x + width <= 24
        cells = {(x + i, y + j) for i in range(width) for j in range(height)}
        assert not places & cells
        places |= cells
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len({*ids}) == len(ids)


def test_the_manual_explains_every_alert() -> None:
    page = (DOCS / "operations.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(Portier\w+)` \| .+? \| (\w+) \|", page, re.MULTILINE)
    assert rows == [(name, rule["severity"]) for name, rule in alerts().items()]
