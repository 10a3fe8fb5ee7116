"""What is read from a graph-node's answers about errors."""

from __future__ import annotations

import pytest

from graph_test_daemon.graph_node import IndexingError, IndexingFailed

ID = "86094bf97c1b56e18f4a31324c960f5d40ba58f84afdb8c2963c1bba22c3ebe3"
BEGIN = f"transaction {ID}: error while executing at wasm backtrace:"
FRAME = "\t    {}:   0x18cf - <unknown>!src/mapping/{}"
END = " in handler `handleStored` at block #120 (54011bcec8813f6123902a8299f6805f07b29816)"
NULL = "Mapping aborted at src/mapping.ts, line 3, column 50, with message: unexpected null"
NONE = "Entity Note[1]: missing value for non-nullable field `text`"
JSON = "Failed to parse JSON from byte array. Bytes: `[123, 32]`: key must be a string at line 1"


def read(message: str, handler: str | None = None) -> IndexingError:
    return IndexingError.read({"message": message, "handler": handler})


@pytest.mark.parametrize(
    ("told", "message", "handler"),
    [
        ("handleMoved", f"no{END}", "handleMoved"),
        (None, f"no{END}", "handleStored"),
        (None, f"{BEGIN}{FRAME.format(0, 'handleMoved')}: no", "handleMoved"),
        (None, "the subgraph has no handlers", None),
    ],
)
def test_the_handler_is_known_where_only_the_message_names_it(
    told: str | None, message: str, handler: str | None
) -> None:
    assert read(message, told).handler == handler


# Texts of a real graph-node, version 0.45.
@pytest.mark.parametrize(
    ("text", "message", "backtrace"),
    [
        (
            f"{BEGIN}{FRAME.format(0, 'inner')}{FRAME.format(1, 'handleStored')}: {NULL}{END}",
            NULL,
            ("src/mapping/inner", "src/mapping/handleStored"),
        ),
        (
            (
                f"failed to process trigger: block #120 (0x54011bcec8813f61), {BEGIN}"
                f"{FRAME.format(0, 'handleStored')}: {NONE}: {NONE}"
            ),
            NONE,
            ("src/mapping/handleStored",),
        ),
        (f"{BEGIN}{FRAME.format(0, 'h')}: {JSON}{END}", JSON, ("src/mapping/h",)),
        (
            f"{BEGIN}{FRAME.format(0, 'h')}: wasm trap: integer divide by zero{END}",
            "wasm trap: integer divide by zero",
            ("src/mapping/h",),
        ),
    ],
)
def test_an_error_of_a_mapping_begins_with_what_went_wrong(
    text: str, message: str, backtrace: tuple[str, ...]
) -> None:
    error = read(text)
    assert error.message == message
    assert error.backtrace == backtrace
    assert error.transaction == f"0x{ID}"


@pytest.mark.parametrize(
    "text",
    [
        "store error: deadlock detected",
        f"something else: {BEGIN}{FRAME.format(0, 'h')}: no",
        "error while executing at wasm backtrace: of another shape: no",
    ],
)
def test_a_text_of_another_shape_stays_as_it_is(text: str) -> None:
    error = read(text)
    assert (error.message, error.backtrace, error.transaction) == (text, (), None)


def test_the_error_says_what_went_wrong_before_where() -> None:
    error = IndexingFailed(
        deployment="Qm", message=NULL, handler="h", block=7, head=9, backtrace=["src/mapping/h"]
    )
    assert str(error) == f"cannot index Qm: {NULL} (handler h, block 7)"
    assert error.details["backtrace"] == ["src/mapping/h"]
    bare = IndexingFailed(deployment="Qm", message="no", handler=None, block=None, head=9)
    assert str(bare) == "cannot index Qm: no"
