"""The user for an address."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db import connection

from portier_client.django import users

if TYPE_CHECKING:
    from collections.abc import Callable

    from .conftest import Visitor


def test_a_first_login_makes_a_user_without_a_password(visitor: Visitor) -> None:
    visitor.log_in("Alice@Example.com")
    user = User.objects.get()
    assert (user.username, user.email) == ("alice@example.com", "alice@example.com")
    assert not user.has_usable_password()
    visitor.log_in("alice@example.com")
    assert User.objects.count() == 1


def test_no_user_is_made_if_the_site_says_so(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    set_portier(create_users=False)
    refused = visitor.log_in()
    assert refused.status_code == 403
    assert b'data-id="account_unknown"' in refused.content
    assert visitor.user is None
    assert not User.objects.exists()


def test_an_inactive_user_is_refused(visitor: Visitor) -> None:
    User.objects.create_user("alice", "alice@example.com", is_active=False)
    refused = visitor.log_in()
    assert refused.status_code == 403
    assert b'data-id="account_refused"' in refused.content
    assert visitor.user is None


def test_an_address_of_several_users_is_refused(
    visitor: Visitor, caplog: pytest.LogCaptureFixture
) -> None:
    User.objects.create_user("alice", "alice@example.com")
    User.objects.create_user("alicia", "ALICE@example.com")
    refused = visitor.log_in()
    assert refused.status_code == 403
    assert b'data-id="account_refused"' in refused.content
    assert visitor.user is None
    (record,) = [r for r in caplog.records if r.name == "portier_client.django"]
    assert record.getMessage() == (
        "login refused: several users have the address field=email users=2"
    )


def test_the_page_of_the_site_shows_why_a_user_is_refused(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    set_portier(create_users=False, show_problem=lambda _, problem: f"{problem.id}")
    refused = visitor.log_in()
    assert (refused.status_code, refused.content) == (403, b"account_unknown")


def test_the_hook_of_the_site_chooses_the_user(
    visitor: Visitor, set_portier: Callable[..., None]
) -> None:
    User.objects.create_user("team", "")

    def on_user(request: Any, login: Any) -> User:
        return User.objects.get(username="team")

    async def on_user_later(request: Any, login: Any) -> User:
        return await User.objects.aget(username="team")

    for hook in (on_user, on_user_later):
        set_portier(on_user=hook)
        assert visitor.log_in().status_code == 303
        assert visitor.user == "team"
        visitor.post("/accounts/logout/", {})


@pytest.mark.parametrize("raises", [False, True])
def test_the_hook_of_the_site_refuses_a_user(
    visitor: Visitor, set_portier: Callable[..., None], raises: bool
) -> None:
    def on_user(request: Any, login: Any) -> None:
        if raises:
            raise PermissionDenied

    set_portier(on_user=on_user)
    assert visitor.log_in().status_code == 403
    assert visitor.user is None


def test_an_address_that_only_looks_the_same_is_another_one(monkeypatch: Any) -> None:
    User.objects.create_user("mallory", "mıke@example.org")
    everybody = User.objects.all()
    # Some databases take the two letters for the same.
    monkeypatch.setattr(type(User.objects), "filter", lambda *_, **__: everybody)
    assert users.find("mike@example.org") is None


@pytest.mark.parametrize(
    ("stored", "email"),
    [
        ("Alice@Bücher.example", "alice@xn--bcher-kva.example"),
        ("alice@straße.example", "alice@xn--strae-oqa.example"),
        ("alice@XN--BCHER-KVA.example", "alice@xn--bcher-kva.example"),
        ("BJÖRN@example.com", "björn@example.com"),
        ("Björn@Göteborg.example", "björn@xn--gteborg-90a.example"),
    ],
)
def test_an_address_is_found_however_it_is_stored(stored: str, email: str) -> None:
    stored_user = User.objects.create_user("somebody")
    User.objects.filter(pk=stored_user.pk).update(email=stored)
    assert users.find(email) == stored_user


def test_a_user_with_the_address_as_its_name_is_not_taken_over() -> None:
    User.objects.create_user("alice@example.com", "mallory@example.com")
    user = users.find_or_create("alice@example.com")
    assert user.username != "alice@example.com"
    assert user.email == "alice@example.com"
    assert users.find_or_create("alice@example.com") == user


def test_a_long_address_gets_another_name() -> None:
    email = f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example.com"
    user = users.find_or_create(email)
    assert (user.email, len(user.username)) == (email, 30)


def test_two_first_logins_at_the_same_time_make_one_user() -> None:
    made: list[Any] = []
    both = threading.Barrier(2, timeout=10)
    find = users.find

    def find_nobody_first(email: str) -> Any:
        user = find(email)
        if user is None:
            both.wait()
        return user

    def log_in() -> None:
        try:
            made.append(users.find_or_create("alice@example.com"))
        finally:
            connection.close()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(users, "find", find_nobody_first)
        threads = [threading.Thread(target=log_in) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(made) == 2
    assert made[0] == made[1] == User.objects.get()
