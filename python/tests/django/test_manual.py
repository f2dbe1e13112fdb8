"""The manual, followed from an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.examples import python_blocks

if TYPE_CHECKING:
    from portier_client.testing import DevBroker

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/frameworks/django.md").read_text(encoding="utf-8")


MEMBERS = """
import re

from django.contrib.auth.models import User
from django.test import Client, TestCase


class MembersTest(TestCase):
    def test_members_sign_out(self):
        browser = Client(enforce_csrf_checks=True)
        browser.force_login(User.objects.create(email="<b>@example.com"))
        page = browser.get("/accounts/profile/").content.decode()
        self.assertIn("You are &lt;b&gt;@example.com.", page)
        action = re.search('action="(.*?)"', page)[1]
        token = re.search('name="csrfmiddlewaretoken" value="(.*?)"', page)[1]
        done = browser.post(action, {"csrfmiddlewaretoken": token})
        self.assertRedirects(done, "/accounts/login/", status_code=done.status_code)
        self.assertEqual(browser.get("/accounts/profile/").status_code, 302)
"""


def run(folder: Path, *command: str) -> str:
    """Runs a program in the project; returns what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    environment.pop("DJANGO_SETTINGS_MODULE", None)
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path, broker: DevBroker) -> Path:
    """The project of the manual: each block names its file, to which it is added."""
    run(tmp_path, "-m", "django", "startproject", "mysite", ".")
    for block in python_blocks(PAGE):
        name = block.partition("\n")[0].removeprefix("# ")
        text = block.replace("http://127.0.0.1:3333", broker.origin)
        with (tmp_path / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{text}\n")
    return tmp_path


def test_the_site_of_the_manual_logs_in(project: Path) -> None:
    run(project, "manage.py", "check", "--fail-level=WARNING")
    run(project, "manage.py", "migrate", "--verbosity=0")
    assert "Logins can work." in run(project, "manage.py", "portier_check")
    (project / "mysite/test_members.py").write_text(MEMBERS)
    assert "Ran 2 tests" in run(project, "manage.py", "test")
    run(project, "mysite/allauth_settings.py")


def test_the_logging_of_the_manual_says_why_a_login_failed(project: Path) -> None:
    printed = run(
        project,
        "manage.py",
        "shell",
        "-c",
        """
from django.conf import settings
from django.test import Client, override_settings

form = "application/x-www-form-urlencoded"
asked = Client(headers={"Host": "localhost", "Sec-Fetch-Site": "same-origin"})
with override_settings(PORTIER={**settings.PORTIER, "broker": "http://127.0.0.1:1"}):
    answer = asked.post("/accounts/login/", "email=a@b.example", content_type=form)
print("status", answer.status_code)
""",
    )
    assert "status 503" in printed
    assert "login failed" in printed


def test_the_middleware_of_the_manual_redirects_htmx_to_the_login_page(project: Path) -> None:
    told = run(
        project,
        "manage.py",
        "shell",
        "-c",
        """
from django.test import Client

asked = Client(headers={"Host": "localhost"})
page = {"HX-Request": "true", "HX-Current-URL": "http://localhost:8000/a/?b=c"}
told = asked.get("/accounts/profile/", headers=page)
print("htmx", told.status_code, told.headers["HX-Redirect"])
print("browser", asked.get("/accounts/profile/").headers["Location"])
""",
    )
    assert "htmx 401 /accounts/login/?next=%2Fa%2F%3Fb%3Dc\n" in told
    assert "browser /accounts/login/?next=/accounts/profile/\n" in told


def test_the_templates_of_the_manual_show_forms(project: Path) -> None:
    blocks = re.findall(r"^```html\n(.*?)^```$", PAGE, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    (project / "page.html").write_text("\n".join(blocks))
    shown = run(
        project,
        "manage.py",
        "shell",
        "-c",
        """
from pathlib import Path
from django.template import RequestContext, Template
from django.test import RequestFactory

page = Template(Path("page.html").read_text())
print(page.render(RequestContext(RequestFactory().get("/"))))
""",
    )
    assert shown.count('action="/accounts/login/"') == 2
    assert shown.count('value="/members/"') == 1
    assert shown.count('action="/accounts/logout/"') == 1


def test_every_check_is_documented() -> None:

    from portier_client.django import checks

    source = Path(checks.__file__).read_text(encoding="utf-8")
    ids = set(re.findall(r'"(portier_client\.[EW]\d+)"', source))
    assert set(re.findall(r"^\| `(portier_client\.[EW]\d+)`", PAGE, flags=re.MULTILINE)) == ids


def test_every_option_of_the_app_is_documented() -> None:
    from portier_client.django import PortierSettings, conf

    own = {"redirect_uri", "languages", "secret", *conf._OWN}
    assert own <= PortierSettings.__annotations__.keys()
    section = PAGE.split("\n## Settings\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", section, flags=re.MULTILINE)) == own
