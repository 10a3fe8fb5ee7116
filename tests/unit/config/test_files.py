"""Which files a stack is read from, and how they are laid over one another."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

from harness.config import Source, declared_name, discover, load, validate
from harness.config.source import is_trusted
from harness.errors import ConfigError, ConfigSchemaError, ConfigSyntaxError, UnresolvedReference
from harness.executors import option_types
from tests.requirements import require
from tests.unit.config.stacks import EXECUTORS, problems, report, service, source, stack

ONE = "services: {a: {type: process, command: a, env: {X: one}}}\n"


@pytest.mark.parametrize("name", ["harness.yaml", "harness.yml", "services.yaml", "services.yml"])
def test_stack_file_is_found_by_its_usual_names(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text(ONE)

    assert discover(str(tmp_path)) == (str(tmp_path / name),)
    assert stack(tmp_path).files == (str(tmp_path / name),)


def test_directory_without_a_stack_says_what_to_do(tmp_path: Path) -> None:
    assert discover(str(tmp_path)) == ()
    looked_in = ", ".join([str(tmp_path), *map(str, tmp_path.parents)])
    assert problems(tmp_path) == [
        (
            "harness.yaml:1:1: there is no harness.yaml or services.yaml here or above (looked in "
            f"{looked_in}); `harness init` writes one; -f names another"
        )
    ]


def test_the_nearest_stack_file_above_is_found_with_its_override(tmp_path: Path) -> None:
    below = tmp_path / "Shop" / "src" / "deep"
    below.mkdir(parents=True)
    (tmp_path / "harness.yaml").write_text(ONE)
    (tmp_path / "Shop" / "services.yml").write_text(ONE)
    (tmp_path / "Shop" / "harness.override.yaml").write_text("description: over\n")
    (below / "harness.override.yaml").write_text("description: not beside it\n")

    nearest = str(tmp_path / "Shop" / "services.yml")
    assert discover(str(below)) == (nearest, str(tmp_path / "Shop" / "harness.override.yaml"))
    assert discover(str(tmp_path)) == (str(tmp_path / "harness.yaml"),)


def test_a_stack_found_above_is_read_as_from_its_own_directory(tmp_path: Path) -> None:
    shop = tmp_path / "My Shop"
    below = shop / "src"
    below.mkdir(parents=True)
    text = "services: {a: {type: process, command: 'a $WORD', env_file: a.env}}\n"
    (shop / "harness.yaml").write_text(text.replace("$WORD", "${WORD}"))
    (shop / "a.env").write_text("A=1\n")
    (shop / ".env").write_text("WORD=beside\n")

    found = stack(below, project=None)
    assert found.name == "my-shop"
    assert found.units["a"].base_dir == str(shop)
    assert stack(shop, project=None) == found


def test_a_stack_above_of_another_user_is_passed_over_and_named(tmp_path: Path) -> None:
    require("root", os.geteuid() == 0, "a file is given to another user")
    below = tmp_path / "mine"
    below.mkdir()
    theirs = tmp_path / "harness.yaml"
    theirs.write_text(ONE)
    os.chown(theirs, 4711, -1)

    assert discover(str(below)) == ()
    assert f"; {theirs}, of another user, was passed over" in problems(below)[0]
    assert discover(str(tmp_path)) == (str(theirs),)


def test_what_another_user_put_beside_a_stack_above_is_left_out(tmp_path: Path) -> None:
    require("root", os.geteuid() == 0, "files are given to another user")
    below = tmp_path / "mine"
    below.mkdir()
    mine = tmp_path / "harness.yaml"
    mine.write_text(ONE)
    override, env_file = tmp_path / "harness.override.yaml", tmp_path / ".env"
    override.write_text("services: {a: {env: {X: theirs}}}\n")
    env_file.write_text("A=theirs\n")
    os.chown(override, 4711, -1)
    os.chown(env_file, 4711, -1)

    found = report(below)
    assert found.stack is not None
    assert service(found.stack, "a").env == {"X": "one"}
    assert found.stack.variables == {}
    assert [str(warning) for warning in found.warnings] == [
        f"{path}:1:1: is left out: it belongs to another user; name the files with -f to use it"
        for path in (override, env_file)
    ]
    assert discover(str(tmp_path)) == (str(mine), str(override))
    assert stack(tmp_path).variables == {"A": "theirs"}


def test_a_link_of_another_user_to_a_file_of_mine_is_passed_over(tmp_path: Path) -> None:
    require("root", os.geteuid() == 0, "a link is given to another user")
    (tmp_path / "mine.yaml").write_text(ONE)
    below = tmp_path / "theirs" / "below"
    below.mkdir(parents=True)
    link = tmp_path / "theirs" / "harness.yaml"
    link.symlink_to(tmp_path / "mine.yaml")
    assert discover(str(below)) == (str(link),)

    os.chown(link, 4711, -1, follow_symlinks=False)
    assert discover(str(below)) == ()


def test_a_file_whose_owner_cannot_be_found_out_is_not_trusted(tmp_path: Path) -> None:
    assert not is_trusted(str(tmp_path / "harness.yaml"), str(tmp_path / "below"))


def test_override_beside_the_stack_is_merged(tmp_path: Path) -> None:
    (tmp_path / "harness.override.yaml").write_text("services: {a: {env: {Y: two}, nice: 3}}\n")

    spec = stack(tmp_path, ONE)

    assert service(spec, "a").env == {"X": "one", "Y": "two"}
    assert service(spec, "a").options.nice == 3
    assert spec.files == (
        str(tmp_path / "harness.yaml"),
        str(tmp_path / "harness.override.yaml"),
    )


def test_override_is_left_alone_when_files_are_named(tmp_path: Path) -> None:
    (tmp_path / "harness.override.yaml").write_text("services: {a: {env: {Y: two}}}\n")
    src = source(tmp_path, ONE, files=(str(tmp_path / "harness.yaml"),))

    assert load(src, executors=EXECUTORS).units["a"].env == {"X": "one"}


def test_named_files_are_laid_over_one_another_in_order(tmp_path: Path) -> None:
    files = []
    for name, text in (("one", "X: one, Y: one"), ("two", "Y: two"), ("three", "X: null")):
        path = tmp_path / f"{name}.yaml"
        path.write_text(f"services: {{a: {{type: process, command: a, env: {{{text}}}}}}}\n")
        files.append(str(path))

    spec = stack(tmp_path, files=tuple(files))

    assert service(spec, "a").env == {"Y": "two"}
    assert spec.base_dir == str(tmp_path)


def test_included_file_lies_under_the_one_that_includes_it(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "db.yaml").write_text(
        "include: deep.yaml\nservices: {db: {type: process, command: db, env: {A: 1, B: 1}}}\n"
        "secrets: {pw: {file: pw.txt}}\n"
    )
    (tmp_path / "parts" / "deep.yaml").write_text("services: {deep: {type: process, command: d}}\n")

    spec = stack(
        tmp_path,
        "include: ['${DIR}/db.yaml']\n"
        "services: {db: {env: {B: 2}}, own: {type: process, command: o}}\n",
        env={"DIR": "parts"},
    )

    assert list(spec.units) == ["deep", "db", "own"]
    assert service(spec, "db").env == {"A": "1", "B": "2"}
    assert service(spec, "db").base_dir == str(tmp_path / "parts")
    assert service(spec, "own").base_dir == str(tmp_path)
    assert spec.secrets["pw"].file == str(tmp_path / "parts" / "pw.txt")
    assert [Path(file).name for file in spec.files] == ["harness.yaml", "db.yaml", "deep.yaml"]


def test_files_that_include_one_another_are_named_in_order(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_text("include: c.yaml\n")
    (tmp_path / "c.yaml").write_text("include: [b.yaml]\n")

    assert problems(tmp_path, "include: b.yaml\n") == [
        "c.yaml:1:11: include: the files include one another: b.yaml → c.yaml → b.yaml"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("include: none.yaml\n", "harness.yaml:1:10: include: there is no file {dir}/none.yaml"),
        ("include: {a: b}\n", "harness.yaml:1:10: include: must be a file's path"),
        ("include: ['${NO}']\n", "harness.yaml:1:12: include: the variable NO is not set; set it"),
        ("env_file: none.env\n", "harness.yaml:1:11: env_file: there is no file {dir}/none.env"),
        ("env_file: bad.env\n", "bad.env:1:1: a line must be NAME=value"),
        ("include: bad.env\n", "bad.env:1:1: a stack must be a map"),
        (
            "include: latin.yaml\n",
            "latin.yaml:1:1: it is not UTF-8 text: invalid continuation byte",
        ),
        ("", "harness.yaml:1:1: it is empty; see `harness init`"),
        ("- a\n", "harness.yaml:1:1: a stack must be a map; see `harness init`"),
        ("a: [\n", "harness.yaml:2:1: it is not YAML"),
        ("services: [a]\n", "harness.yaml:1:11: services: must be a map name → unit"),
        ("variables: {A: '${NO}'}\n", "harness.yaml:1:17: variables.A: the variable NO is not set"),
        ("variables: [a]\n", "harness.yaml:1:12: variables: must be a map, not a list"),
        ("name: '${NO}'\n", "harness.yaml:1:8: name: the variable NO is not set"),
        ("secrets: {a: {file: '${NO}'}}\n", "harness.yaml:1:22: secrets.a.file: the variable NO"),
        ("services: {a: }\n", "harness.yaml:1:15: services.a: must be a map that describes the s"),
    ],
)
def test_file_that_cannot_be_used_says_where_and_why(
    tmp_path: Path, text: str, problem: str
) -> None:
    (tmp_path / "bad.env").write_text("nonsense\n")
    (tmp_path / "latin.yaml").write_bytes(b"a: \xe9\xe9\n")

    found = problems(tmp_path, text, project=None)

    assert found[0].startswith(problem.format(dir=tmp_path))


def test_unreadable_file_is_named(tmp_path: Path) -> None:
    assert problems(tmp_path, files=(str(tmp_path),)) == [
        f"{tmp_path}:1:1: cannot read it: Is a directory"
    ]


def test_broken_default_env_file_is_a_problem(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("nonsense\n")

    assert problems(tmp_path, ONE) == [".env:1:1: a line must be NAME=value"]


def test_environment_outranks_env_files_and_they_outrank_variables(tmp_path: Path) -> None:
    (tmp_path / "one.env").write_text("A=file\nB=file\n")
    text = (
        "env_file: [one.env]\nvariables: {A: stack, B: stack, C: '${B} and ${A}', D: 1.10}\n"
        "services: {a: {type: process, command: a, description: x, startup_timeout: '${D}'}}\n"
    )

    spec = stack(tmp_path, text, env={"A": "environment"})

    assert spec.variables == {"A": "file", "B": "file", "C": "file and environment", "D": "1.10"}
    assert service(spec, "a").startup_timeout_s == 1.1


def test_env_file_beside_the_stack_is_read_unless_others_are_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=dotenv\n")

    assert stack(tmp_path, ONE).variables == {"A": "dotenv"}
    assert stack(tmp_path, f"env_file: []\n{ONE}").variables == {}


@pytest.mark.parametrize(
    ("text", "project", "name"),
    [
        ("name: My Stack!\n", None, "my-stack"),
        ("name: '${N}'\n", None, "from-env"),
        ("name: ä\n", None, "default"),
        ("name: other\n", "asked_for-1", "asked_for-1"),
        ("", None, "some-directory"),
    ],
)
def test_project_is_named_by_request_stack_or_directory(
    tmp_path: Path, text: str, project: str | None, name: str
) -> None:
    directory = tmp_path / "Some Directory"
    directory.mkdir()

    spec = stack(directory, text + ONE, project=project, env={"N": "From env"})

    assert spec.name == name


def test_project_that_is_asked_for_must_be_well_formed(tmp_path: Path) -> None:
    assert problems(tmp_path, ONE, project="Not Good") == [
        (
            'harness.yaml:1:1: "Not Good" is no name of a project; lower case letters, digits, - '
            "and _; the first a letter or digit"
        )
    ]


def test_kind_of_error_tells_what_all_problems_have_in_common(tmp_path: Path) -> None:
    unit = "services: {a: {type: process, command: a, env: {X: '${NO}'}%s}}\n"

    with pytest.raises(ConfigSyntaxError):
        load(Source(directory=str(tmp_path)), executors=EXECUTORS)
    with pytest.raises(UnresolvedReference):
        stack(tmp_path, unit % "")
    with pytest.raises(ConfigSchemaError) as caught:
        stack(tmp_path, unit % ", typo: 1")

    assert caught.value.kind == "config-schema"
    assert [problem.kind for problem in caught.value.problems] == [
        "config-unresolved-reference",
        "config-unknown-key",
    ]


def test_environment_that_is_not_utf_8_is_harmless(tmp_path: Path) -> None:
    odd = b"\xff".decode("utf-8", "surrogateescape")
    typed = "type: process, command: a, startup_timeout: '${ODD}'"
    bad = f"settings: {{parallelism: '${{ODD}}'}}\nservices: {{a: {{{typed}}}}}\n"
    good = "services: {a: {type: process, command: a, env: {X: '${ODD}'}}}\n"

    assert stack(tmp_path, good, env={"ODD": odd}).units
    assert len(problems(tmp_path, bad, env={"ODD": odd})) == 2


def test_settings_and_defaults_reach_the_stack(tmp_path: Path) -> None:
    text = (
        "description: d\nversion: 1\n"
        "settings: {log_level: debug, log_max_size: 1MiB, inherit_env: [PATH], parallelism: 4}\n"
    )

    spec = stack(tmp_path, text + ONE)

    assert spec.description == "d"
    assert spec.settings.log_level == "debug"
    assert spec.settings.log_max_bytes == 1024**2
    assert spec.settings.inherit_env == ("PATH",)
    assert spec.settings.parallelism == 4


def test_report_has_a_stack_only_without_problems(tmp_path: Path) -> None:
    assert report(tmp_path, ONE).stack is not None
    assert report(tmp_path, "typo: 1\n").stack is None


def test_stack_may_be_empty(tmp_path: Path) -> None:
    assert stack(tmp_path, "version: '1'\n").units == {}


def test_every_profile_at_once_is_a_star(tmp_path: Path) -> None:
    text = "services: {a: {type: process, command: a, profiles: [x]}}\n"

    assert list(stack(tmp_path, text, profiles=("*",)).units) == ["a"]
    assert list(stack(tmp_path, text).units) == []
    assert list(stack(tmp_path, f"profiles: [x]\n{text}").units) == ["a"]


def test_path_of_a_secret_may_name_the_project(tmp_path: Path) -> None:
    spec = stack(tmp_path, f"secrets: {{k: {{file: '${{project.name}}.key'}}}}\n{ONE}")

    assert spec.secrets["k"].file == str(tmp_path / "demo.key")


def test_path_of_a_secret_may_begin_at_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    spec = stack(tmp_path, f"secrets: {{k: {{file: '~/k.key'}}}}\n{ONE}")

    assert spec.secrets["k"].file == str(tmp_path / "home" / "k.key")


def test_profile_of_the_command_line_that_nothing_has_is_reported_there(tmp_path: Path) -> None:
    (tmp_path / "base.yaml").write_text(ONE)
    found = report(tmp_path, "include: base.yaml\n", profiles=("nosuch",))

    assert [str(problem) for problem in found.problems] == [
        '--profile: no unit belongs to the profile "nosuch"'
    ]
    assert found.problems[0].kind == "config-unknown-profile"


def test_units_of_inactive_profiles_are_known_by_their_profiles(tmp_path: Path) -> None:
    text = "services: {a: {type: box, image: a, profiles: [b, c]}, d: {type: box, image: d}}"
    assert stack(tmp_path, text).inactive == {"a": ("b", "c")}
    assert stack(tmp_path, text, profiles=("c",)).inactive == {}


def test_broken_command_line_is_one_problem_for_the_real_type(tmp_path: Path) -> None:
    src = source(tmp_path, 'services: {a: {type: process, command: "x \'y"}}\n')

    assert [str(problem) for problem in validate(src, executors=option_types()).problems] == [
        "harness.yaml:1:40: services.a.command: cannot be split into words: no closing quotation"
    ]


def test_template_and_unit_may_write_env_in_either_form(tmp_path: Path) -> None:
    spec = stack(
        tmp_path,
        "templates: {base: {env: [A=base, B=base]}}\n"
        "services: {a: {type: process, command: a, extends: base, env: {A: own}}}\n",
    )

    assert service(spec, "a").env == {"A": "own", "B": "base"}


def test_directory_that_cannot_be_looked_at_is_left_to_the_start(tmp_path: Path) -> None:
    name = "d" * 300

    assert not problems(
        tmp_path, f"services: {{a: {{type: process, command: a, working_dir: {name}}}}}\n"
    )


def test_a_secret_may_be_what_a_program_prints(tmp_path: Path) -> None:
    text = (
        "secrets:\n"
        "  a: {command: pass show 'a b', timeout: 2s}\n"
        "  b: {command: [vault, read, $x]}\n"
        "  c: {command: 'echo $HOME | cat', shell: true}\n"
    )
    secrets = stack(tmp_path, f"{text}{ONE}").secrets
    assert secrets["a"].command == ("pass", "show", "a b")
    assert (secrets["a"].timeout_s, secrets["a"].base_dir) == (2.0, str(tmp_path))
    assert (secrets["b"].command, secrets["b"].timeout_s) == (("vault", "read", "$x"), 30.0)
    assert secrets["c"].command == ("/bin/sh", "-c", "echo $HOME | cat")


@pytest.mark.parametrize(
    ("secret", "problem"),
    [
        ("{command: ''}", "secrets.a.command: the command is empty"),
        ("{command: [x], env: Y}", "must have exactly one of file, env and command"),
        ("{env: Y, shell: true}", "`shell` and `timeout` go with a command"),
        ("{command: x, timeout: 0}", "secrets.a.timeout: must be more than 0"),
        ("{command: [x], shell: true}", "with `shell: true` the command is one text"),
    ],
)
def test_a_secret_of_a_program_that_is_none_is_reported(
    tmp_path: Path, secret: str, problem: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(problem)):
        stack(tmp_path, f"secrets:\n  a: {secret}\n{ONE}")


@pytest.mark.parametrize("where", [{"files": ("a\0b",)}, {"directory": "a\0b"}])
def test_a_path_that_no_file_can_have_is_refused(where: dict[str, Any]) -> None:
    found = validate(Source(**{"directory": "/", **where}), executors=EXECUTORS)
    assert "a path holds a NUL character" in str(found.problems[0])


def test_a_path_that_no_file_can_have_declares_nothing() -> None:
    assert declared_name(("a\0b",)) is None
    assert discover("a\0b") == ()
