"""The admin, whose login page uses Portier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib.auth.models import User

if TYPE_CHECKING:
    from .conftest import Visitor


def test_staff_come_in_through_portier(visitor: Visitor) -> None:
    User.objects.create_user("alice", "alice@example.com", is_staff=True)
    asked = visitor.get("/admin/auth/")
    assert asked["Location"] == "/admin/login/?next=/admin/auth/"
    page = visitor.get(asked["Location"])
    assert b'action="/accounts/login/"' in page.content
    assert b'name="next" value="/admin/auth/"' in page.content
    assert b"password" not in page.content
    assert visitor.log_in(next_page="/admin/auth/")["Location"] == "/admin/auth/"
    assert visitor.get("/admin/").status_code == 200
    assert visitor.get("/admin/login/")["Location"] == "/admin/"


def test_others_are_told_that_they_are_not_staff(visitor: Visitor) -> None:
    visitor.log_in(next_page="/admin/")
    asked = visitor.get("/admin/")
    page = visitor.get(asked["Location"])
    assert page.status_code == 200
    assert b"are not authorized" in page.content


def test_the_login_page_takes_no_password(visitor: Visitor) -> None:
    User.objects.create_superuser("root", "root@example.com", "a password")
    form = {"username": "root", "password": "a password", "next": "/admin/"}
    assert visitor.post("/admin/login/", form).status_code == 405
    assert visitor.user is None
