from __future__ import annotations

import json
import subprocess
import sys
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.errors import MalformedMessage
from harness.protocol import (
    ErrorResponse,
    Notification,
    Request,
    Response,
    decode,
    encode,
    too_large,
)

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
_PARAMS = st.dictionaries(st.text(), _JSON)
_IDS = st.integers() | st.text(max_size=100)
_MESSAGES = (
    st.builds(Request, _IDS, st.text(), _PARAMS)
    | st.builds(Notification, st.text(), _PARAMS)
    | st.builds(Response, _IDS, _JSON)
    | st.builds(ErrorResponse, _IDS | st.none(), _PARAMS)
)


@settings(deadline=None, max_examples=50)
@given(_MESSAGES)
def test_a_message_is_read_as_it_was_written(message):
    assert decode(encode(message)) == message


@settings(deadline=None, max_examples=50)
@given(_MESSAGES)
def test_a_message_is_written_as_ascii_on_one_line(message):
    text = encode(message)
    assert text.isascii()
    assert "\n" not in text
    assert json.loads(text)["jsonrpc"] == "2.0"


@settings(deadline=None, max_examples=50)
@given(st.text() | st.binary())
def test_whatever_comes_is_a_message_or_malformed(text):
    with suppress(MalformedMessage):
        assert isinstance(decode(text), Request | Notification | Response | ErrorResponse)


def test_lone_surrogates_survive():
    text = b"\xff\xfe caf\xe9".decode("utf-8", "surrogateescape")
    assert decode(encode(Response(1, text))) == Response(1, text)


@pytest.mark.parametrize(
    ("text", "code", "identifier"),
    [
        ("", -32700, None),
        ("{", -32700, None),
        ("[" * 100_000, -32700, None),
        (b"\xff\xff", -32700, None),
        ("[]", -32600, None),
        ("null", -32600, None),
        ('{"id": 1}', -32600, 1),
        ('{"jsonrpc": "2.0", "id": true, "method": "a"}', -32600, None),
        ('{"jsonrpc": "2.0", "id": 1.5, "method": "a"}', -32600, None),
        ('{"jsonrpc": "2.0", "id": "' + "x" * 2_000 + '", "method": "a"}', -32600, None),
        ('{"jsonrpc": "2.0", "id": null, "method": "a"}', -32600, None),
        ('{"jsonrpc": "2.0", "id": 1, "method": 2}', -32600, 1),
        ('{"jsonrpc": "2.0", "id": 1, "method": "a", "params": [1]}', -32600, 1),
        ('{"jsonrpc": "2.0", "id": 1, "error": "no"}', -32600, 1),
        ('{"jsonrpc": "2.0", "result": 1}', -32600, None),
    ],
)
def test_a_malformed_message_is_refused_with_code_and_id(text, code, identifier):
    with pytest.raises(MalformedMessage) as caught:
        decode(text)
    assert caught.value.details == {"id": identifier, "code": code}


def test_nesting_is_refused_whatever_a_library_did_to_the_recursion_limit():
    program = (
        "import sys; sys.setrecursionlimit(1_000_000)\n"
        "from harness.errors import MalformedMessage\n"
        "from harness.protocol import decode\n"
        "try:\n    decode('[' * 1_000_000)\n"
        "except MalformedMessage as error:\n    print(error.details['code'])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "-32700\n")


def test_a_batch_is_refused_in_plain_words():
    with pytest.raises(MalformedMessage, match="batches are not supported"):
        decode('[{"jsonrpc": "2.0", "id": 1, "method": "a"}]')


def test_missing_params_are_none_at_all():
    assert decode('{"jsonrpc": "2.0", "id": 1, "method": "a"}') == Request(1, "a", {})


def test_a_message_that_is_too_large_is_named_with_the_limit():
    assert "larger than 16 bytes" in str(too_large(16))
