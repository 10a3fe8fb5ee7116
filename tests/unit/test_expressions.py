from __future__ import annotations

import pytest

from harness.expressions import MAX_LENGTH, ExpressionError, compile_expression

VALUES = {
    "steps": {"a": {"outputs": {"n": 3, "o": {"x": [1, 2.5, None, True, "s"]}}}},
    "params": {"names": ["x", "y"], "blocks": 3},
}


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("steps.a.outputs.o", {"x": [1, 2.5, None, True, "s"]}),
        ('steps["a"].outputs.n + 1', 4),
        ("params.blocks > 2 && size(params.names) == 2", True),
        ("params.names.filter(n, n != 'x').map(n, n + '!')", ["y!"]),
        ("has(steps.b)", False),
        ("'.map(x, .map(y'", ".map(x, .map(y"),
        ('{"a": [1]}', {"a": [1]}),
        ('duration("1h")', "1:00:00"),
        ("b'x'", "x"),
    ],
)
def test_an_expression_has_a_value_of_json(source, value):
    assert compile_expression(source).evaluate(VALUES) == value


def test_it_tells_what_it_needs():
    found = compile_expression("steps.a.outputs.n + size(params.names.filter(n, n == 'steps.b'))")
    assert found.names == {"steps", "params"}
    assert found.keys == {"steps": (("a", 0),), "params": (("names", 25),)}


@pytest.mark.parametrize(
    ("source", "text", "offset"),
    [
        ("1 +", "1 + is no expression: mismatched input end", 3),
        ("a\n b c", "a\n b c is no expression: ", 3),
        ("  ", "it is empty", 0),
        ("x" * (MAX_LENGTH + 1), f"an expression has at most {MAX_LENGTH} characters", 0),
        ("a.map(x, b.filter(y, true))", "a map, filter, all or exists may not", 10),
    ],
)
def test_what_is_no_expression_says_where(source, text, offset):
    with pytest.raises(ExpressionError) as failure:
        compile_expression(source)
    assert str(failure.value).startswith(text)
    assert failure.value.offset == offset


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("steps.b", 'steps.b has no value: there is no "b"'),
        ("params.names[5]", "params.names[5] has no value: index out of bounds: 5"),
        ("params.blocks / 0", "params.blocks / 0 has no value: division by zero"),
        ("now()", "now() has no value: undefined variable or function: 'now'"),
        ("steps.__class__", 'steps.__class__ has no value: there is no "__class__"'),
        ("params.blocks + 1.5", "params.blocks + 1.5 has no value: no such overload"),
    ],
)
def test_what_has_no_value_says_why(source, text):
    with pytest.raises(ExpressionError) as failure:
        compile_expression(source).evaluate(VALUES)
    assert str(failure.value).startswith(text)
