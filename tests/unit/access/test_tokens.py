from __future__ import annotations

import json

import pytest

from harness.access import Role, Tokens
from harness.errors import InvalidParameters, TokenNotFound, Unauthenticated
from harness.storage import MemoryStore
from tests.fakes.clock import FakeClock


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def tokens(store: MemoryStore, clock: FakeClock) -> Tokens:
    return Tokens(store, clock)


def test_a_token_stands_for_its_name_and_role(tokens):
    token, facts = tokens.create("ci", Role.OPERATOR, lifetime_s=None)
    found = tokens.principal(token, address="10.0.0.1:5")
    assert (found.name, found.role, found.how) == ("ci", Role.OPERATOR, "token")
    assert (found.address, found.expires_at) == ("10.0.0.1:5", None)
    assert tokens.list() == [facts]


def test_the_secret_is_not_stored(tokens, store):
    token, _ = tokens.create("ci", Role.OPERATOR, lifetime_s=None)
    assert token.rpartition("_")[2] not in json.dumps(store.records("token"))


def test_it_ends_at_the_moment_and_not_before(tokens, clock):
    token, _ = tokens.create("ci", Role.VIEWER, lifetime_s=10)
    clock.advance(9.999)
    tokens.principal(token, address="")
    clock.advance(0.001)
    with pytest.raises(Unauthenticated, match='the token "ci" expired at') as caught:
        tokens.principal(token, address="")
    assert "harness token create" in str(caught.value.hint)


def test_that_it_expired_is_told_only_to_who_has_all_of_it(tokens, clock):
    token, _ = tokens.create("ci", Role.VIEWER, lifetime_s=10)
    clock.advance(20)
    with pytest.raises(Unauthenticated, match="not known"):
        tokens.principal(token[:-1] + "?", address="")


@pytest.mark.parametrize(
    "change",
    [
        lambda token: token[:-1],
        lambda token: token + "x",
        lambda token: "x" + token,
        lambda token: token.replace("hnt_", ""),
        lambda token: token.rpartition("_")[0] + "_",
        lambda _: "",
        lambda _: "hnt__",
        lambda _: "hnt_\udcff_\udcff",
    ],
)
def test_nothing_but_the_token_lets_in(tokens, change):
    token, _ = tokens.create("ci", Role.ADMIN, lifetime_s=None)
    with pytest.raises(Unauthenticated, match="not known"):
        tokens.principal(change(token), address="")


def test_a_revoked_token_is_not_known_any_more(tokens):
    token, _ = tokens.create("ci", Role.ADMIN, lifetime_s=None)
    key = tokens.principal(token, address="").key
    assert tokens.revoke("ci") == key
    with pytest.raises(Unauthenticated, match="not known"):
        tokens.principal(token, address="")
    with pytest.raises(TokenNotFound):
        tokens.revoke("ci")


def test_a_misspelt_name_gets_a_suggestion(tokens):
    tokens.create("deploy", Role.ADMIN, lifetime_s=None)
    with pytest.raises(TokenNotFound) as caught:
        tokens.revoke("deplyo")
    assert caught.value.hint == 'did you mean "deploy"?'
    assert caught.value.details == {"name": "deplyo", "did_you_mean": "deploy"}


def test_a_name_is_taken_once(tokens):
    tokens.create("ci", Role.ADMIN, lifetime_s=None)
    with pytest.raises(InvalidParameters, match="there is one of that name"):
        tokens.create("ci", Role.VIEWER, lifetime_s=None)


@pytest.mark.parametrize("name", ["", "a b", "-x", "x" * 65, "a\nb", "ü"])
def test_some_texts_are_no_names(tokens, name):
    with pytest.raises(InvalidParameters, match="that is no name"):
        tokens.create(name, Role.VIEWER, lifetime_s=None)


@pytest.mark.parametrize("lifetime_s", [0, -1, 1e18, float("inf"), float("nan")])
def test_a_lifetime_that_is_none_is_refused(tokens, lifetime_s):
    with pytest.raises(InvalidParameters, match="cannot expire after"):
        tokens.create("ci", Role.VIEWER, lifetime_s=lifetime_s)


def test_roles_include_the_ones_below():
    assert Role.ADMIN.includes(Role.VIEWER)
    assert Role.OPERATOR.includes(Role.OPERATOR)
    assert not Role.VIEWER.includes(Role.OPERATOR)
