"""Logins with `oidc-provider`, an OpenID provider without knowledge of Portier."""

from __future__ import annotations

import base64
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cases.keys import RSA_3072
from provider import Provider, browse
from subject import Subject

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from subject import Answer

SUITE = "provider"

EMAIL = "john@example.com"

# A provider may assign any client ids; Portier requires the origin of the site.
SITES: dict[str, dict[str, Any]] = {
    "plain": {},
    "EdDSA": {"id_token_signed_response_alg": "EdDSA"},
    "Ed25519": {"id_token_signed_response_alg": "Ed25519"},
    "PS256": {"id_token_signed_response_alg": "PS256"},
    "ES256": {"id_token_signed_response_alg": "ES256"},
    "encrypted": {
        "id_token_encrypted_response_alg": "RSA-OAEP",
        "jwks": {"keys": [RSA_3072.jwk("site", alg="RSA-OAEP", use="enc")]},
    },
}
CLIENTS = [
    {
        "client_id": f"https://{name.lower()}.example",
        "redirect_uris": [f"https://{name.lower()}.example/verify"],
        **metadata,
    }
    for name, metadata in SITES.items()
]
# A client id that the provider has chosen.
OTHER_ID = "5b1b4f0e"
CLIENTS.append({"client_id": OTHER_ID, "redirect_uris": ["https://plain.example/verify"]})
ACCOUNTS = {
    "unverified@example.com": {"email": "unverified@example.com", "email_verified": False},
    "nobody@example.com": {},
    "John@Example.com": {"email": "John@Example.com", "email_verified": True},
    "Jane@Example.com": {"email": "jane@example.com", "email_verified": True},
}


class Site:
    """A site that uses the provider, with this client id."""

    def __init__(self, language: str, provider: Provider, name: str, flow: str) -> None:
        self.redirect_uri = f"https://{name.lower()}.example/verify"
        self.flow = flow
        self.client = Subject(language, provider.origin, redirect_uri=self.redirect_uri, flow=flow)

    def log_in(self, email: str, *state: str) -> Answer:
        """The result of a login."""
        return self.complete(self.answer_to(self.client.start(email, *state)))

    def answer_to(self, url: str) -> dict[str, str]:
        """The fields that the provider makes the browser send to the site."""
        page = browse(url, stop=self.redirect_uri)
        if self.flow == "code":
            assert page.location, page.text
            return dict(parse_qsl(urlsplit(page.location).query, strict_parsing=True))
        assert page.action == self.redirect_uri, page.text
        return page.fields

    def complete(self, fields: dict[str, str]) -> Answer:
        """Completes the login with these fields."""
        return self.client.ask("complete", urlencode(fields))


@pytest.fixture(scope="session")
def provider() -> Iterator[Provider]:
    with Provider(clients=CLIENTS, accounts=ACCOUNTS) as provider:
        yield provider


@pytest.fixture
def make_site(language: str) -> Iterator[Callable[..., Site]]:
    """Makes sites."""
    with ExitStack() as clients:

        def make(provider: Provider, name: str = "plain", flow: str = "implicit") -> Site:
            site = Site(language, provider, name, flow)
            clients.enter_context(site.client)
            return site

        yield make


@pytest.fixture
def site(make_site: Callable[..., Site], provider: Provider) -> Site:
    """A site with the default settings."""
    return make_site(provider)


@pytest.fixture
def code_site(make_site: Callable[..., Site], provider: Provider) -> Site:
    """A site that uses the code flow."""
    return make_site(provider, flow="code")


def test_a_login_by_form_post_is_accepted_once(site: Site) -> None:
    fields = site.answer_to(site.client.start(EMAIL, "a state"))
    # What differs from Portier: no type in the header, no original address.
    assert header(fields) == {"alg": "RS256", "kid": "rsa"}
    token = claims(fields)
    assert token["email"] == token["sub"] == EMAIL
    assert "email_original" not in token
    answer = site.complete(fields)
    assert answer.ok
    assert answer.values == (EMAIL, EMAIL, "a state")
    assert site.complete(fields).code == "session_used"


def test_a_token_signed_with_eddsa_is_accepted(
    make_site: Callable[..., Site], provider: Provider
) -> None:
    site = make_site(provider, "EdDSA")
    fields = site.answer_to(site.client.start(EMAIL))
    assert header(fields) == {"alg": "EdDSA", "kid": "edwards"}
    assert site.complete(fields).values == (EMAIL, EMAIL, "")


@pytest.mark.parametrize("case", ["Ed25519", "PS256", "ES256"])
def test_other_algorithms_are_refused_with_token_algorithm(
    make_site: Callable[..., Site], provider: Provider, case: str
) -> None:
    site = make_site(provider, case)
    fields = site.answer_to(site.client.start(EMAIL))
    assert header(fields)["alg"] == case
    assert site.complete(fields).code == "token_algorithm"


def test_an_encrypted_token_is_refused_with_token_malformed(
    make_site: Callable[..., Site], provider: Provider
) -> None:
    site = make_site(provider, "encrypted")
    fields = site.answer_to(site.client.start(EMAIL))
    assert fields["id_token"].count(".") == 4
    assert site.complete(fields).code == "token_malformed"


def test_keys_that_do_not_name_their_algorithm_are_refused_with_broker_document(
    make_site: Callable[..., Site],
) -> None:
    with Provider(clients=CLIENTS, accounts={}, unnamed=True) as provider:
        [key] = provider.document("/jwks")["keys"]
        assert (key["kty"], "alg" in key) == ("RSA", False)
        assert make_site(provider).log_in(EMAIL).code == "broker_document"


def test_an_issuer_that_is_not_an_origin_is_refused_with_broker_document(
    make_site: Callable[..., Site],
) -> None:
    with Provider(clients=CLIENTS, accounts={}, issuer="/tenant") as provider:
        document = provider.document("/.well-known/openid-configuration")
        assert document["issuer"] == f"{provider.origin}/tenant"
        assert make_site(provider).client.ask("auth", EMAIL).code == "broker_document"


def test_the_provider_rejects_a_client_id_that_is_not_the_origin(
    make_site: Callable[..., Site], provider: Provider
) -> None:
    page = browse(make_site(provider, "stranger").client.start(EMAIL))
    assert (page.status, page.action) == (400, None)
    assert "invalid_client" in page.text


def test_a_token_for_a_client_id_of_the_provider_is_refused_with_token_audience(
    site: Site,
) -> None:
    url = site.client.start(EMAIL)
    ours = urlencode({"client_id": "https://plain.example"})
    assert ours in url
    fields = site.answer_to(url.replace(ours, urlencode({"client_id": OTHER_ID})))
    assert claims(fields)["aud"] == OTHER_ID
    assert site.complete(fields).code == "token_audience"


def test_an_address_that_is_not_verified_is_refused_with_token_claim(site: Site) -> None:
    assert site.log_in("unverified@example.com").code == "token_claim"


def test_a_token_without_an_address_is_refused_with_token_claim(site: Site) -> None:
    fields = site.answer_to(site.client.start("nobody@example.com"))
    assert "email" not in claims(fields)
    assert site.complete(fields).code == "token_claim"


def test_an_address_that_is_not_normalized_is_refused_with_token_claim(site: Site) -> None:
    fields = site.answer_to(site.client.start("John@Example.com"))
    assert claims(fields)["email"] == "John@Example.com"
    assert site.complete(fields).code == "token_claim"


def test_an_address_normalized_without_its_original_is_refused_with_session_email(
    site: Site,
) -> None:
    fields = site.answer_to(site.client.start("Jane@Example.com"))
    assert claims(fields)["email"] == "jane@example.com"
    assert site.complete(fields).code == "session_email"


def test_another_address_than_the_typed_one_is_refused_with_session_email(site: Site) -> None:
    url = site.client.start(EMAIL)
    hint = urlencode({"login_hint": EMAIL})
    assert hint in url
    fields = site.answer_to(url.replace(hint, urlencode({"login_hint": "jane@example.com"})))
    assert site.complete(fields).code == "session_email"


def test_a_login_that_is_cancelled_is_reported_as_broker_error(site: Site) -> None:
    answer = site.log_in("refuse@example.com", "a state")
    assert answer.code == "broker_error"
    assert answer.values[0].endswith(" error=access_denied description=the person said no")


def test_a_login_by_code_is_accepted_once(code_site: Site) -> None:
    url = code_site.client.start(EMAIL, "a state")
    # The provider demands a code challenge.
    query = parse_qs(urlsplit(url).query, strict_parsing=True)
    assert query["code_challenge_method"] == ["S256"]
    fields = code_site.answer_to(url)
    assert "id_token" not in fields
    answer = code_site.complete(fields)
    assert answer.values == (EMAIL, EMAIL, "a state")
    assert code_site.complete(fields).code == "session_used"


def test_a_token_for_a_code_may_be_signed_with_eddsa(
    make_site: Callable[..., Site], provider: Provider
) -> None:
    assert make_site(provider, "EdDSA", "code").log_in(EMAIL).values == (EMAIL, EMAIL, "")


@pytest.mark.parametrize("case", ["Ed25519", "PS256", "ES256"])
def test_other_algorithms_of_a_token_for_a_code_are_refused_with_token_algorithm(
    make_site: Callable[..., Site], provider: Provider, case: str
) -> None:
    assert make_site(provider, case, "code").log_in(EMAIL).code == "token_algorithm"


def test_an_unknown_code_is_refused_with_code_refused_and_the_login_stays_pending(
    code_site: Site,
) -> None:
    fields = code_site.answer_to(code_site.client.start(EMAIL))
    assert code_site.complete({**fields, "code": "unknown"}).code == "code_refused"
    assert code_site.complete(fields).values == (EMAIL, EMAIL, "")


def test_a_code_of_another_login_is_refused_with_code_refused(code_site: Site) -> None:
    first, second = (code_site.answer_to(code_site.client.start(EMAIL)) for _ in range(2))
    mixed = {**first, "code": second["code"]}
    assert code_site.complete(mixed).code == "code_refused"


def test_a_code_of_another_site_is_refused_with_code_refused(
    make_site: Callable[..., Site], provider: Provider, code_site: Site
) -> None:
    other = make_site(provider, "EdDSA", "code")
    fields = code_site.answer_to(code_site.client.start(EMAIL))
    stolen = other.answer_to(other.client.start(EMAIL))
    assert code_site.complete({**fields, "code": stolen["code"]}).code == "code_refused"


def test_an_unknown_state_is_refused_with_session_unknown(code_site: Site) -> None:
    fields = code_site.answer_to(code_site.client.start(EMAIL))
    assert code_site.complete({**fields, "state": "unknown"}).code == "session_unknown"


def test_another_address_in_the_token_for_a_code_is_refused_with_session_email(
    code_site: Site,
) -> None:
    url = code_site.client.start(EMAIL)
    hint = urlencode({"login_hint": EMAIL})
    other = urlencode({"login_hint": "jane@example.com"})
    fields = code_site.answer_to(url.replace(hint, other))
    assert code_site.complete(fields).code == "session_email"


def test_a_login_by_code_that_is_cancelled_is_reported_as_broker_error(code_site: Site) -> None:
    answer = code_site.log_in("refuse@example.com", "a state")
    assert answer.code == "broker_error"
    assert answer.values[0].endswith(" error=access_denied description=the person said no")


def header(fields: dict[str, str]) -> dict[str, Any]:
    return part(fields, 0)


def claims(fields: dict[str, str]) -> dict[str, Any]:
    return part(fields, 1)


def part(fields: dict[str, str], number: int) -> dict[str, Any]:
    """A part of the token, not verified."""
    text = fields["id_token"].split(".")[number]
    members: dict[str, Any] = json.loads(base64.urlsafe_b64decode(text + "=="))
    return members
