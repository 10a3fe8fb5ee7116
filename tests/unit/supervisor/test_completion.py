from __future__ import annotations

from pathlib import Path

import pytest

from harness.executors.fake import FakeOptions
from harness.model import OutputSpec, TaskSpec
from harness.supervisor.completion import (
    OutputMissing,
    created_paths_exist,
    input_hash,
    read_outputs,
    read_stdout,
)
from tests.unit.supervisor.scene import task


def reading(*outputs: OutputSpec, base_dir: Path | str = "/", **more) -> TaskSpec:
    return TaskSpec(
        name="t", type="fake", options=None, base_dir=str(base_dir), outputs=outputs, **more
    )


@pytest.mark.parametrize(
    ("path", "stdout", "value"),
    [
        ("a", b'{"a": 1}', 1),
        ("a.b", b'{"a": {"b": "x"}}', "x"),
        ("a.1.c", b'{"a": [0, {"c": true}]}', True),
        ("", b'{"whole": []}', {"whole": []}),
        ("", b'{\n  "many": "lines"\n}\n', {"many": "lines"}),
        ("a", b'starting\n{"a": 1}\n{"a": 2}\n', 2),
        ("a", b'{"a": 3}\ndone.\n', 3),
        ("a", b'\xff\xfe\n{"a": 4}', 4),
    ],
)
def test_json_is_read_from_the_last_document(path, stdout, value) -> None:
    assert read_outputs(reading(OutputSpec(name="x", json=path)), stdout) == {"x": value}


@pytest.mark.parametrize(
    ("output", "stdout", "cause"),
    [
        (OutputSpec(name="x", json="a"), b"no document here", "no JSON document"),
        (OutputSpec(name="x", json="a"), b"", "no JSON document"),
        (OutputSpec(name="x", json="a.b"), b'{"a": {}}', "nothing at a.b"),
        (OutputSpec(name="x", json="a.b"), b'{"a": "text"}', "nothing at a.b"),
        (OutputSpec(name="x", json="a.5"), b'{"a": [1]}', "nothing at a.5"),
        (OutputSpec(name="x", json="a.b"), b'{"a": [1]}', "nothing at a.b"),
        (OutputSpec(name="x", json="a"), b"null", "nothing at a"),
        (OutputSpec(name="x", regex="height (\\d+)"), b"depth 5", "matches /height"),
        (OutputSpec(name="x", regex="(a+)+$"), b"a" * 1_000_000 + b"!", "matches /"),
        (OutputSpec(name="x", regex="a(?=b)"), b"ab", "/a(?=b)/ uses look-around"),
        (OutputSpec(name="x", file="not-there"), b"", "not-there"),
    ],
)
def test_a_missing_output_says_which_and_why(output, stdout, cause, tmp_path) -> None:
    with pytest.raises(OutputMissing, match='"x" cannot be read') as caught:
        read_outputs(reading(output, base_dir=tmp_path), stdout)
    assert cause in str(caught.value)


@pytest.mark.parametrize(
    ("regex", "value"), [("height (\\d+)", "12"), ("height \\d+", "height 12"), ("^h", "h")]
)
def test_a_regex_gives_its_group_or_the_whole_match(regex, value) -> None:
    found = read_outputs(reading(OutputSpec(name="x", regex=regex)), b"up\nheight 12\n")
    assert found == {"x": value}


def test_a_file_is_read_beside_the_stack_file(tmp_path: Path) -> None:
    (tmp_path / "address").write_text("  0xabc\n")
    spec = reading(OutputSpec(name="x", file="address"), base_dir=tmp_path)
    assert read_outputs(spec, b"") == {"x": "0xabc"}


def test_a_file_that_is_no_text_is_a_missing_output(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"\xff\xff")
    with pytest.raises(OutputMissing):
        read_outputs(reading(OutputSpec(name="x", file="raw"), base_dir=tmp_path), b"")


def test_stdout_is_read_from_where_the_run_began(tmp_path: Path) -> None:
    (tmp_path / "stdout.log").write_bytes(b"old\nnew\n")
    assert read_stdout(tmp_path, 4) == b"new\n"


def test_created_paths_must_all_exist(tmp_path: Path) -> None:
    spec = reading(base_dir=tmp_path, creates=("one", "sub/two"))
    (tmp_path / "one").touch()
    assert not created_paths_exist(spec)
    (tmp_path / "sub/two").mkdir(parents=True)
    assert created_paths_exist(spec)


def digest(spec: TaskSpec, *, options=FakeOptions(), env=None, runs=None) -> str:  # noqa: B008
    return input_hash(spec, options=options, env=env or {}, runs=runs or {})


def test_equal_inputs_have_equal_hashes(tmp_path: Path) -> None:
    spec = reading(base_dir=tmp_path)
    assert digest(spec, env={"A": "1", "B": "2"}) == digest(spec, env={"B": "2", "A": "1"})


@pytest.mark.parametrize(
    "change",
    [
        {"options": FakeOptions(output=("x",))},
        {"env": {"A": "1"}},
        {"runs": {"db": 2}},
    ],
)
def test_another_input_has_another_hash(change, tmp_path: Path) -> None:
    spec = reading(base_dir=tmp_path)
    assert digest(spec) != digest(spec, **change)


def test_the_content_of_input_files_counts(tmp_path: Path) -> None:
    spec = reading(base_dir=tmp_path, inputs=("file", "folder"))
    seen = [digest(spec)]
    (tmp_path / "file").write_text("1")
    seen.append(digest(spec))
    (tmp_path / "file").write_text("2")
    seen.append(digest(spec))
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/a").write_text("1")
    seen.append(digest(spec))
    (tmp_path / "folder/a").rename(tmp_path / "folder/b")
    seen.append(digest(spec))
    assert len(set(seen)) == len(seen)


def test_a_task_without_outputs_has_none() -> None:
    assert read_outputs(task("t"), b"anything") == {}
