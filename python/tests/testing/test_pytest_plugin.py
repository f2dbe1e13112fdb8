"""The fixtures for pytest, in test runs of other projects."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .plugins import WITHOUT

pytest_plugins = ["pytester"]

OPTIONS = " ".join([*WITHOUT, "-pno:asyncio"])
SETTINGS = f"[pytest]\naddopts = {OPTIONS}\nportier_login_page = /sign-in\nfilterwarnings = error\n"

SITE = """
import os
from flask import Flask
from portier_client.blocking import Client
from portier_client.flask import Portier

def make_app(broker):
    app = Flask(__name__)
    app.secret_key = "a secret of the site"
    portier = Portier(app, Client("http://localhost/verify", broker=broker))

    @app.get("/sign-in")
    def form():
        return '<form method="post" action="/login"><input name="email"></form>'

    @app.get("/")
    def index():
        return portier.email or "nobody"

    return app
"""

CONFTEST = """
import pytest
from site_of_the_test import make_app

@pytest.fixture
def browser(portier_broker):
    return make_app(portier_broker.origin).test_client()
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    """A project with a site."""
    pytester.makeini(SETTINGS)
    pytester.makepyfile(site_of_the_test=SITE)
    pytester.makeconftest(CONFTEST)
    return pytester


def test_fixtures_log_in(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_login(browser, portier_login):
            assert portier_login(browser, "alice@example.com").text == "alice@example.com"

        def test_another_test_has_another_client(browser):
            assert browser.get("/").text == "nobody"
    """)
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_each_test_begins_with_a_broker_as_if_it_were_new(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import time
        origins = set()

        def test_first(portier_broker, browser, portier_login):
            origins.add(portier_broker.origin)
            portier_login(browser, "alice@example.com")
            portier_broker.set_mode("refuse")
            portier_broker.fail_next("/keys.json", status=500)
            portier_broker.set_reachable(False)
            portier_broker.freeze_time(1_900_000_000)
            assert portier_broker.requests()

        def test_second(portier_broker, browser, portier_login, portier_session_broker):
            origins.add(portier_broker.origin)
            assert len(origins) == 1
            assert portier_session_broker is portier_broker
            assert portier_broker.requests() == {}
            assert abs(portier_broker.now - time.time()) < 60
            assert portier_login(browser, "bob@example.com").text == "bob@example.com"
    """)
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_a_site_can_be_made_once_for_all_tests(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        from site_of_the_test import make_app

        @pytest.fixture(scope="session")
        def app(portier_session_broker):
            return make_app(portier_session_broker.origin)

        @pytest.mark.parametrize("name", ["alice", "bob"])
        def test_login(app, portier_login, name):
            address = f"{name}@example.com"
            assert portier_login(app.test_client(), address).text == address
    """)
    project.runpytest_inprocess().assert_outcomes(passed=2)


def test_somebody_can_be_logged_in_once_for_all_tests(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        from site_of_the_test import make_app

        logins = []

        @pytest.fixture(scope="session")
        def alice(portier_session_broker, portier_session_login):
            client = make_app(portier_session_broker.origin).test_client()
            logins.append(portier_session_login(client, "alice@example.com"))
            return client

        @pytest.mark.parametrize("number", range(2))
        def test_pages(alice, portier_broker, portier_login, number):
            assert alice.get("/").text == "alice@example.com"
            assert len(logins) == 1
    """)
    project.runpytest_inprocess().assert_outcomes(passed=2)
    project.runpytest_subprocess("-n2").assert_outcomes(passed=2)


def test_the_site_may_read_the_broker_from_a_variable_when_it_is_imported(
    project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SITE_BROKER", raising=False)
    project.makeini(f"{SETTINGS}portier_broker_variable = SITE_BROKER\n")
    project.makepyfile(app_of_the_test=f"{SITE}\napp = make_app(os.environ['SITE_BROKER'])\n")
    project.makeconftest("from app_of_the_test import app")
    project.makepyfile("""
        from app_of_the_test import app

        def test_login(portier_login):
            client = app.test_client()
            assert portier_login(client, "alice@example.com").text == "alice@example.com"
    """)
    project.runpytest_subprocess().assert_outcomes(passed=1)
    project.runpytest_subprocess("-n2").assert_outcomes(passed=1)


def test_processes_of_xdist_have_brokers_of_their_own(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import os, pathlib, pytest

        @pytest.mark.parametrize("number", range(2))
        def test_login(number, browser, portier_broker, portier_login):
            address = f"person{number}@example.com"
            assert portier_login(browser, address).text == address
            seen = pathlib.Path(os.environ["PYTEST_XDIST_WORKER"])
            with seen.open("a") as file:
                file.write(portier_broker.origin + "\\n")
    """)
    project.runpytest_subprocess("-n2", "--dist=each").assert_outcomes(passed=4)
    origins = [set(path.read_text().split()) for path in project.path.glob("gw*")]
    assert len(origins) == 2
    assert all(len(seen) == 1 for seen in origins)
    assert len(set.union(*origins)) == 2


def test_a_failed_login_is_shown_at_the_line_of_the_test(project: pytest.Pytester) -> None:
    project.makepyfile("""
        def test_login(browser, portier_login):
            portier_login(browser, "alice@@example.com")
    """)
    result = project.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            ">       portier_login(browser, *",
            "E       *LoginFailed: the site did not start a login status=400 url=/login *",
            "E*The site answered: Check the address *",
            "test_a_failed_login_is_shown_at_the_line_of_the_test.py:2: LoginFailed",
        ]
    )
    assert "_login.py" not in result.stdout.str()


def test_settings_of_another_broker_can_be_chosen(project: pytest.Pytester) -> None:
    project.makepyfile("""
        import pytest
        from portier_client.testing import DevBroker

        @pytest.fixture(scope="session")
        def portier_session_broker():
            with DevBroker(mode="accept") as broker:
                yield broker

        def test_login(browser, portier_login):
            assert portier_login(browser, "alice@example.com").text == "alice@example.com"
    """)
    project.runpytest_inprocess().assert_outcomes(passed=1)


def test_a_run_without_the_fixtures_does_not_import_the_package(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import sys

        def test_nothing_is_loaded():
            assert "_portier_client_pytest" in sys.modules
            assert not [name for name in sys.modules if name.startswith("portier_client")]
    """)
    pytester.runpytest_subprocess("-pno:xdist", *OPTIONS.split()).assert_outcomes(passed=1)


def test_pytest_finds_the_fixtures_and_the_settings(pytester: pytest.Pytester) -> None:
    pytester.makeini(SETTINGS)
    shown = pytester.runpytest_inprocess("--fixtures").stdout.str()
    fixtures = ("portier_broker", "portier_login", "portier_session_broker")
    for name in (*fixtures, "portier_session_login"):
        assert re.search(rf"^{name}\b", shown, flags=re.MULTILINE)
    settings = pytester.runpytest_inprocess("--help").stdout.str()
    assert "portier_broker_variable" in settings
    assert "portier_login_page" in settings


def test_the_package_does_not_import_pytest() -> None:
    code = "import sys, portier_client.testing; print('pytest' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
