"""The mixin for unittest."""

from __future__ import annotations

import unittest
from typing import TYPE_CHECKING

import pytest

from portier_client.testing import LoginFailed, LoginHelper, PortierTestMixin

from .sites import ALICE, async_browser_at, browser_at, starlette_site

if TYPE_CHECKING:
    from typing import ClassVar


def outcome_of(kind: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    unittest.defaultTestLoader.loadTestsFromTestCase(kind).run(result)
    return result


def test_a_test_case_logs_in() -> None:
    class Tests(PortierTestMixin, unittest.TestCase):
        portier_login: ClassVar[LoginHelper] = LoginHelper(page="/members")

        def test_login(self) -> None:
            browser = browser_at(starlette_site(self.portier_broker))
            assert self.portier_login(browser, ALICE).text == "for members"

        def test_refusal(self) -> None:
            browser = browser_at(starlette_site(self.portier_broker))
            assert self.portier_login.cancelled(browser).problem == "cancelled"
            with pytest.raises(LoginFailed):
                self.portier_login(browser, page="/nowhere")

    result = outcome_of(Tests)
    assert (result.testsRun, result.errors, result.failures) == (2, [], [])


def test_an_asynchronous_test_case_logs_in() -> None:
    class Tests(PortierTestMixin, unittest.IsolatedAsyncioTestCase):
        async def test_login(self) -> None:
            app = starlette_site(self.portier_broker)
            async with async_browser_at(app) as browser:
                assert (await self.portier_login(browser, ALICE)).text == ALICE

    result = outcome_of(Tests)
    assert (result.testsRun, result.errors, result.failures) == (1, [], [])


def test_each_test_begins_with_a_broker_as_if_it_were_new() -> None:
    seen = []

    class Tests(PortierTestMixin, unittest.TestCase):
        def check(self) -> None:
            seen.append((self.portier_broker, self.portier_broker.requests()))
            browser = browser_at(starlette_site(self.portier_broker))
            self.portier_login(browser, ALICE)
            self.portier_broker.set_mode("refuse")

        test_first = test_second = check

    assert outcome_of(Tests).wasSuccessful()
    (first, requests), (second, again) = seen
    assert first is second
    assert (requests, again) == ({}, {})
