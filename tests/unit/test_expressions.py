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


@pytest.mark.parametrize(
    "source", ["a", " a.b ", 'a["b"]', "a['c d'].e", "a.list[1]", "a.list[1].b", 'a[""]']
)
def test_a_path_leads_to_the_very_value(source):
    large = {"amount": 10**30, "least": -(2**70)}
    inner = {"b": large, "c d": {"e": large}, "list": [0, {"b": large}], "": large}
    found = compile_expression(source).evaluate({"a": inner})
    assert str(10**30) in repr(found)
    assert "e+" not in repr(found)


@pytest.mark.parametrize("source", ["a.c", "a.b.c", "a.list[2]", "a.list.b", 'a.list["0"]', "b"])
def test_a_path_that_leads_nowhere_has_no_value(source):
    with pytest.raises(ExpressionError, match="has no value"):
        compile_expression(source).evaluate({"a": {"b": 1, "list": [1, 2]}})


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


@pytest.mark.parametrize(
    "source",
    [
        "l.map(//,\nx, l.map(//\ny, x * y))",
        r'r"\" == "" || l.map(x, l.map(y, 1)) == [] || "" == ""',
        "'''it's''' == '' || l.map(x, l.map(y, 1)) == [] || '' == ''",
    ],
)
def test_comments_and_texts_hide_no_macro_inside_another(source):
    with pytest.raises(ExpressionError, match="may not stand inside another"):
        compile_expression(source)


@pytest.mark.parametrize(
    "source",
    [
        "l.map(x, l)",
        "l.map(x, [x, x, x, x, x, x]).size()",
        "l.filter(x, x > 1).size()",
        "l.filter(//\nx, x > 1).size()",
        "[1]" + ".map(x, [x, x])" * 60,
        "['a']" + ".map(x, x + x)" * 60,
        "(l + l).map(x, x)",
    ],
)
def test_what_could_hold_up_the_daemon_is_refused_before_it_runs(source):
    with pytest.raises(ExpressionError, match="could take too long: it is about"):
        compile_expression(source).evaluate({"l": list(range(8_000))})


def test_only_the_values_that_are_used_count():
    values = {"steps": {"a": {"n": [1, 2]}, "b": {"n": list(range(100_000))}}}
    found = compile_expression("steps.a.n.map(x, x + 1)").evaluate(values)
    assert found == [2, 3]
    assert compile_expression("steps.b.n.all(x, x >= 0)").evaluate(values) is True
