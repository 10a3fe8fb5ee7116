"""What `${…}` becomes at a start, what happens when it cannot, and what is never shown."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, replace

import anyio
import pytest

from harness.executors.fake import FakeOptions
from harness.model import (
    MASK,
    Condition,
    EventKind,
    HealthSpec,
    OutputSpec,
    PortSpec,
    ProbeSpec,
    SecretSpec,
    Settings,
    Stage,
    TcpCheck,
)
from harness.supervisor import OperationState
from tests.unit.supervisor.scene import Scene, checked, needs, service, task

SECRET = "hunter2hunter2"
PORT = {"http": PortSpec(name="http", host=None, scheme="http")}
SECRETS = {"token": SecretSpec(name="token", env="TOKEN")}


def env_of(play: Scene, unit: str) -> dict[str, str]:
    return dict(play.executor.requests[unit].env)


async def test_references_become_what_is_true_at_the_start(play: Scene) -> None:
    play.client_env = {"USER": "ann"}
    await play.brought_up(
        service("db", ports=PORT),
        service(
            "web",
            needs("db"),
            env={
                "URL": "${db.url}",
                "PORT": "${db.port}",
                "NAMED": "${db.ports.http}",
                "HOST": "${db.host}",
                "PROJECT": "${project.name}",
                "WHO": "${USER} ${VERSION} ${MISSING:-none}",
            },
        ),
        variables={"VERSION": "3", "USER": "stack"},
    )
    port = play.project.statuses()[0].endpoints["http"]["port"]
    env = env_of(play, "web")
    assert env["URL"] == f"http://127.0.0.1:{port}"
    assert env["PORT"] == env["NAMED"] == str(port)
    assert env["HOST"] == "127.0.0.1"
    assert env["PROJECT"] == "p"
    assert env["WHO"] == "ann 3 none"


async def test_a_unit_may_name_its_own_port(play: Scene) -> None:
    await play.brought_up(service("db", ports=PORT, env={"LISTEN": "${db.port}"}))
    port = play.project.statuses()[0].endpoints["http"]["port"]
    assert env_of(play, "db")["LISTEN"] == str(port)


async def test_a_unit_has_a_directory_for_what_it_keeps(play: Scene) -> None:
    db = service("db", env={"DATA": "${db.data_dir}"})
    await play.brought_up(db, service("web", needs("db"), env={"DATA": "${db.data_dir}"}))
    data = anyio.Path(env_of(play, "db")["DATA"])
    assert env_of(play, "web")["DATA"] == str(data)
    await (data / "kept").write_text("x")
    await play.taken_down()
    await play.brought_up(db)
    assert await (data / "kept").exists()
    assert (await data.stat()).st_mode & 0o777 == 0o700
    await play.ended(play.stacks.down(play.project, volumes=True))
    assert not await data.exists()


async def test_a_unit_that_keeps_nothing_has_no_directory(play: Scene) -> None:
    await play.brought_up(service("db"))
    assert not (play.project.unit("db").directories.root / "data").exists()


async def test_the_interpreter_of_the_daemon_has_a_name(play: Scene) -> None:
    await play.brought_up(service("db", env={"PYTHON": "${harness.python}"}))
    assert env_of(play, "db")["PYTHON"] == sys.executable


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("${db.port}", "${db.port} has no value: the service has no port"),
        ("${db.ports.rpc}", 'no port "rpc" (known: none)'),
        ("${db.pid}", '"db" does not run, or has none'),
        ("${ghost.port}", 'no service "ghost"'),
        ("${secrets.none}", "the stack has no such secret"),
        ("${secrets.unset}", "$UNSET_SECRET is not set"),
        ("${secrets.gone}", "gone.txt"),
        ("${tasks.seed.outputs.x}", 'the task "seed" has no such output'),
        ("${tasks.none.outputs.x}", 'no task "none"'),
        ("${WANTED:?say who}", "say who"),
    ],
)
async def test_a_reference_without_a_value_fails_the_unit_and_says_why(
    play: Scene, text: str, cause: str
) -> None:
    operation = await play.brought_up(
        service("db"),
        task("seed"),
        service("web", needs("db"), needs("seed", Condition.COMPLETED), env={"X": text}),
        secrets={
            "unset": SecretSpec(name="unset", env="UNSET_SECRET"),
            "gone": SecretSpec(name="gone", file="gone.txt"),
        },
        keep_going=True,
    )
    assert operation.state is OperationState.FAILED
    assert play.state("web") == "failed"
    assert cause in play.reason("web")
    assert play.reason("web").startswith("it could not be started: ")
    assert "web" not in play.executor.names("start")


async def test_outputs_of_a_task_that_has_not_completed_have_no_value(play: Scene) -> None:
    await play.brought_up(
        task("seed"), service("web", env={"X": "${tasks.seed.outputs.x}"}), only=["web"]
    )
    assert 'the task "seed" has not completed' in play.reason("web")


async def test_structured_outputs_become_json(play: Scene) -> None:
    await play.brought_up(
        task("seed", output=('{"a": {"b": [1, 2]}}',), outputs=(OutputSpec(name="a", json="a"),)),
        service(
            "web",
            needs("seed", Condition.COMPLETED),
            env={"ALL": "${tasks.seed.outputs.a}", "PART": "${tasks.seed.outputs.a.b}"},
        ),
    )
    assert env_of(play, "web")["ALL"] == '{"b":[1,2]}'
    assert env_of(play, "web")["PART"] == "[1,2]"


async def test_files_of_variables_are_read_at_the_start(play: Scene) -> None:
    (play.directory / "a.env").write_text("ONE=file\nTWO=file\n")
    await play.brought_up(service("web", env_file=("a.env",), env={"TWO": "own"}))
    assert env_of(play, "web") == {"ONE": "file", "TWO": "own"}


async def test_a_missing_file_of_variables_fails_the_unit(play: Scene) -> None:
    await play.brought_up(service("web", env_file=("none.env",)))
    assert play.state("web") == "failed"
    assert "none.env" in play.reason("web")


@pytest.mark.parametrize(
    ("inherit", "expected"),
    [(True, {"A": "1", "B": "2"}), (False, {}), (("B", "C"), {"B": "2"})],
)
async def test_a_unit_inherits_what_the_settings_say(play: Scene, inherit, expected) -> None:
    play.client_env = {"A": "1", "B": "2", "HARNESS_STATE_DIR": "/s"}
    await play.brought_up(service("web"), settings=Settings(inherit_env=inherit))
    assert env_of(play, "web") == expected


async def test_secrets_reach_the_unit_and_nobody_else(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET, "HOME": "/home/ann"}
    play.up(
        service(
            "web",
            env={"AUTH": "Bearer ${secrets.token}", "PLAIN": "yes", "API_KEY": "k"},
            output=(f"using {SECRET}",),
            health=checked(SECRET),
        ),
        task("t", output=(json.dumps({"a": SECRET}),), outputs=(OutputSpec(name="a", json="a"),)),
        task(
            "u",
            output=(json.dumps({"a": SECRET}),),
            outputs=(OutputSpec(name="a", json="a"),),
            env={"AUTH": "${secrets.token}"},
        ),
        secrets=SECRETS,
    )
    await play.clock.run_for(2)
    with_secret = play.executor.requests["web"].env["AUTH"]
    assert with_secret == f"Bearer {SECRET}"
    project = play.project
    for name in ("web", "u"):
        assert SECRET not in json.dumps(project.inspect(name))
        assert SECRET not in str(project.explain(name))
        assert SECRET not in str(project.health(name))
    assert SECRET not in str([s for s in project.statuses() if s.name != "t"])
    assert project.env("web") == {
        "AUTH": f"Bearer {MASK}",
        "PLAIN": "yes",
        "API_KEY": MASK,
        "HOME": MASK,
        "TOKEN": MASK,
    }
    assert project.env("web", reveal=True)["AUTH"] == f"Bearer {SECRET}"
    assert SECRET not in str(play.store.events(limit=10_000))


async def test_a_secret_in_what_a_check_asks_is_masked_before_it_is_cut(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET}
    asks = TcpCheck(host="x" * 185 + "${secrets.token}", port="never")
    health = HealthSpec(stages=(Stage(name="ready", probe=ProbeSpec(check=asks)),))
    play.up(service("web", health=health), secrets=SECRETS)
    await play.clock.run_for(2)
    probe = play.project.explain("web").probe
    assert probe is not None
    assert probe["check"] == f"tcp {'x' * 185}{MASK}:ne"
    assert play.project.health("web")[0]["stages"][0]["check"] == probe["check"]


async def test_the_client_s_environment_is_kept_readable_by_the_user_alone(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET}
    await play.brought_up(service("web"))
    path = play.directory / "projects" / "p" / "client-env.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET not in str(play.store.records("projects"))


async def test_a_secret_in_a_start_error_is_masked(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET}
    operation = await play.brought_up(
        service("web", start_error="cannot log in with ${secrets.token}"), secrets=SECRETS
    )
    assert "cannot log in with" in play.reason("web")
    assert SECRET not in play.reason("web")
    assert SECRET not in str(operation.error)
    assert SECRET not in str(play.events(EventKind.UNIT_STATE_CHANGED))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Picky(FakeOptions):
    """Options that say what they are given where they do not fit."""

    def __post_init__(self) -> None:
        if SECRET in self.output:
            raise ValueError(f"{SECRET} is no output")


async def test_a_secret_in_options_that_do_not_fit_together_is_masked(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET}
    web = replace(service("web"), options=_Picky(output=("${secrets.token}",)))
    operation = await play.brought_up(web, secrets=SECRETS)
    assert play.reason("web").endswith(f"{MASK} is no output")
    assert SECRET not in str(operation.error)
    assert SECRET not in str(play.events(EventKind.UNIT_STATE_CHANGED))


async def test_a_secret_that_a_task_s_definition_alone_names_is_masked(play: Scene) -> None:
    play.client_env = {"TOKEN": SECRET}
    seed = task("seed", creates=("${secrets.token}/${secrets.none}",))
    operation = await play.brought_up(seed, secrets=SECRETS)
    assert operation.error is not None
    assert play.project.context.secrets >= {SECRET}


async def test_a_task_whose_options_do_not_fit_any_more_is_planned_and_fails(play: Scene) -> None:
    seed = replace(task("seed"), options=_Picky(run_for=0.0, output=("${WORD}",)))
    play.client_env = {"WORD": "fits"}
    await play.brought_up(seed)
    play.client_env = {"WORD": SECRET}
    operation = await play.brought_up(seed)
    assert str(operation.error).endswith(f"it could not be started: {SECRET} is no output")
