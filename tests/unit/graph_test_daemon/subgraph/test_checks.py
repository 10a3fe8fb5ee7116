from __future__ import annotations

from pathlib import Path

import pytest

from graph_test_daemon.subgraph import (
    CheckedSubgraph,
    Expectations,
    ManifestInvalid,
    check_manifest,
    read_schema,
    require_sound,
)

from .small import ADDRESS, DEPLOYMENT, write

M, S, T, A = "subgraph.yaml", "schema.graphql", "src/mapping.ts", "abis/Notes.json"
HERE = Expectations(network="hardhat")
EVENT = "Stored(indexed uint256,(int256,string)[])"


def check(
    directory: Path, *changes: tuple[str, str, str], expected: Expectations = HERE
) -> CheckedSubgraph:
    return check_manifest(write(directory, *changes), expected=expected)


def test_nothing_is_wrong_with_a_sound_subgraph(tmp_path: Path) -> None:
    checked = check(tmp_path)
    assert checked.problems == ()
    assert require_sound(checked, tmp_path) is checked.manifest


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (
            (M, "network: hardhat", "network: mainnet"),
            'subgraph.yaml:7:5: the network is "mainnet", but the chain here is "hardhat"',
        ),
        ((M, "    network: hardhat\n", ""), 'subgraph.yaml:5:5: "network" is missing'),
        ((M, f'"{ADDRESS}"', "0x12"), 'subgraph.yaml:9:7: "0x12" is no address'),
        ((M, "startBlock: 0", "startBlock: soon"), "startBlock must be the number of a block"),
        ((M, "kind: ethereum\n", "kind: near\n"), 'a data source of the kind "near"'),
        (
            (M, "./abis/Notes.json", "./abis/Note.json"),
            '19:11: the ABI "Notes", ./abis/Note.json, is missing (did you mean "Notes.json"?)',
        ),
        ((A, '{"abi"', '["abi"'), 'the ABI "Notes", ./abis/Notes.json, is none: it is no JSON'),
        ((A, '{"abi"', '{"api"'), "it is neither a list nor has one under `abi`"),
        ((A, '"name": "Stored", ', ""), "an entry is not as in an ABI: KeyError('name')"),
        (
            (M, "abi: Notes", "abi: Note"),
            'subgraph.yaml:10:7: the ABI "Note" is not among mapping.abis (did you mean "Notes"?)',
        ),
        ((M, "      abi: Notes\n", ""), '"abi" is missing: the contract\'s own (name one of Notes'),
        (
            (M, "        - name: Notes\n          file: ./abis/Notes.json\n", ""),
            '"abis" is missing',
        ),
        (
            (M, "Stored(indexed uint256", "Stored(uint256"),
            f"has no event Stored(uint256,(int256,string)[]) (it has {EVENT})",
        ),
        (
            (M, f"event: {EVENT}", "event: Stred(uint256)"),
            'the ABI "Notes" has no event Stred(uint256) (known: Stored(',
        ),
        ((M, f"event: {EVENT}", "name: x"), '"event" is missing'),
        (
            (M, "eventHandlers", "callHandlers"),
            'subgraph.yaml:21:11: "function" is missing',
        ),
        (
            (
                M,
                f"eventHandlers:\n        - event: {EVENT}\n          handler: handleStored",
                "eventHandlers: []",
            ),
            '"Notes" has no handlers',
        ),
        (
            (M, "handler: handleStored", "handler: handleStord"),
            'exports no function handleStord (did you mean "handleStored"?)',
        ),
        ((M, "          handler: handleStored\n", ""), '"handler" is missing'),
        ((T, "export function", "function"), "./src/mapping.ts exports no function handleStored"),
        ((T, "export function", "// export function"), "exports no function handleStored"),
        ((M, "src/mapping.ts", "src/maping.ts"), "the mapping, ./src/maping.ts, is missing"),
        ((M, "schema.graphql", "schema.gql"), "the schema, ./schema.gql, is missing"),
        ((M, "specVersion: 1.3.0", "specVersion: 7.0.0"), 'there is no specVersion "7.0.0"'),
        ((M, "specVersion: 1.3.0\n", ""), 'subgraph.yaml:1:1: "specVersion" is missing'),
        ((M, "apiVersion: 0.0.9", "apiVersion: 9"), "there is no API version 9"),
        ((M, "      entities: [Note]\n", ""), '"entities" is missing'),
        ((M, "language:", "name: x\n      name:"), 'subgraph.yaml:16:7: "name" is there twice'),
        (
            (M, "schema:\n", "features: [graftin]\nschema:\n"),
            'subgraph.yaml:2:12: there is no feature "graftin" (did you mean "grafting"?)',
        ),
        ((M, "schema:\n", "features: grafting\nschema:\n"), "features must be a list"),
        (
            (M, "schema:\n", f"graft: {{base: {DEPLOYMENT}, block: 3}}\nschema:\n"),
            "it is grafted, but does not declare the feature `grafting`",
        ),
        (
            (M, "schema:\n", "features: [grafting]\ngraft: {base: Qm1, block: -3}\nschema:\n"),
            'subgraph.yaml:3:9: "Qm1" is no id of a deployment',
        ),
        (
            (M, "schema:\n", "features: [grafting]\ngraft: {base: Qm1}\nschema:\n"),
            "a graft has a base and a block",
        ),
        (
            (M, "specVersion: 1.3.0", "specVersion: 0.0.4\nx-note: y"),
            None,
        ),
        ((M, "handler: handleStored", "handler: handleStored\n          receipt: true"), None),
    ],
)
def test_what_is_wrong_in_the_manifest_is_told_with_its_place_and_a_remedy(
    tmp_path: Path, change: tuple[str, str, str], told: str | None
) -> None:
    errors = [str(error) for error in check(tmp_path, change).errors]
    if told is None:
        assert errors == []
    else:
        assert any(told in error for error in errors), errors


@pytest.mark.parametrize(
    ("option", "needs"),
    [
        ("calls: {c: 'Notes[event.address].store(event.params.id)'}", "a declared call needs"),
        ("topic1: ['0x00']", "a topic filter needs specVersion 1.2.0"),
        ("receipt: true", "a receipt needs specVersion 0.0.5"),
    ],
)
def test_an_old_spec_version_is_told_of_where_something_newer_is_used(
    tmp_path: Path, option: str, needs: str
) -> None:
    changes = (
        (M, "handler: handleStored", f"handler: handleStored\n          {option}"),
        (M, "specVersion: 1.3.0", "specVersion: 0.0.4"),
    )
    (error,) = check(tmp_path, *changes).errors
    assert needs in str(error)
    assert error.line == 23


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{kind: polling, every: 3}", None),
        ("{kind: polling}", 'a polling filter needs "every"'),
        ("{kind: poling}", 'there is no filter of the kind "poling" for blocks (did you mean'),
    ],
)
def test_filters_of_block_handlers_are_looked_at(
    tmp_path: Path, given: str, told: str | None
) -> None:
    block = f"blockHandlers:\n        - filter: {given}"
    errors = check(tmp_path, (M, f"eventHandlers:\n        - event: {EVENT}", block)).errors
    assert [told in str(error) for error in errors if told] == ([] if told is None else [True])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (("id: Bytes!", "key: Bytes!"), '1:6: the entity "Note" has no id'),
        (("id: Bytes!", "id: Int!"), '2:3: the id of "Note" is Int!'),
        (("(immutable: true)", "(imutable: true)"), 'has no flag "imutable" (did you mean "immut'),
        (("(immutable: true)", '(immutable: "yes")'), "@entity(immutable: …) of \"Note\" is 'yes'"),
        ((" @entity(immutable: true)", ""), 'the type "Note" has no @entity'),
        (("text: String!", "text: Strng!"), '3:3: the field "Note.text" is of an unknown type'),
        (("text: String!", "text: String! {"), "3:17: Syntax Error"),
        (
            ("text: String!", 'text: [Note!]! @derivedFrom(field: "texts")'),
            '"Note.text" is derived from "Note.texts", which is not there (did you mean "text"?)',
        ),
        (("(immutable: true)", "(timeseries: true)"), 'the time series "Note" needs id: Int8!'),
        (
            ("(immutable: true)", "(timeseries: true, immutable: false)"),
            '"Note" is a time series, so it is immutable',
        ),
        (
            (
                "type Note",
                'type Sum @aggregation(intervals: ["week"], source: "Nte") {a: Int}\ntype Note',
            ),
            '"Sum" has no interval "week"',
        ),
    ],
)
def test_what_is_wrong_in_the_schema_is_told_with_its_place(
    tmp_path: Path, change: tuple[str, str], told: str
) -> None:
    errors = [str(error) for error in check(tmp_path, (S, *change)).errors]
    assert any(told in error and error.startswith("schema.graphql:") for error in errors), errors


def test_an_entity_that_does_not_say_whether_it_changes_is_a_warning(tmp_path: Path) -> None:
    checked = check(tmp_path, (S, "@entity(immutable: true)", "@entity"))
    assert checked.errors == ()
    assert "does not say whether it is immutable" in checked.warnings[0].message


def test_an_unknown_key_is_a_warning_that_names_the_one_that_is_missing(tmp_path: Path) -> None:
    checked = check(tmp_path, (M, "entities:", "entites:"))
    assert [problem.hint for problem in checked.problems] == [
        "add entities: …",
        'did you mean "entities"?',
    ]


# ── start blocks and reorgs ──────────────────────────────────────────────────────────────────────


def test_a_start_block_is_a_warning_unless_the_caller_undoes_blocks(tmp_path: Path) -> None:
    change = (M, "startBlock: 0", "startBlock: 5")
    (warning,) = check(tmp_path, change).warnings
    assert warning.line == 11
    assert "graph-node can undo blocks down to 15 only" in warning.message
    assert check(tmp_path, change).errors == ()
    expected = Expectations(network="hardhat", reorgs=True)
    assert check(tmp_path, change, expected=expected).errors[0].message == warning.message


@pytest.mark.parametrize(("lowest", "sound"), [(14, False), (15, True)])
def test_a_start_block_with_headroom_is_sound(tmp_path: Path, lowest: int, sound: bool) -> None:
    expected = Expectations(network="hardhat", reorgs=True, lowest_block=lowest)
    checked = check(tmp_path, (M, "startBlock: 0", "startBlock: 5"), expected=expected)
    assert (checked.problems == ()) is sound


# ── data sources from other subgraphs ────────────────────────────────────────────────────────────

FOLLOWING = (
    (M, "kind: ethereum\n", "kind: subgraph\n"),
    (M, f'address: "{ADDRESS}"', f'address: "{DEPLOYMENT}"'),
    (M, "eventHandlers", "handlers"),
    (M, f"event: {EVENT}", "entity: Trade"),
)


def following(flag: bool) -> Expectations:
    schema = read_schema(f"type Trade @entity(immutable: {str(flag).lower()}) {{ id: Bytes! }}")
    return Expectations(network="hardhat", deployments={DEPLOYMENT: schema})


def test_another_subgraph_may_be_followed(tmp_path: Path) -> None:
    assert check(tmp_path, *FOLLOWING, expected=following(True)).problems == ()


def test_entities_that_are_followed_must_be_immutable(tmp_path: Path) -> None:
    (error,) = check(tmp_path, *FOLLOWING, expected=following(False)).errors
    assert error.message == f'the entity "Trade" of {DEPLOYMENT} may change'


def test_an_entity_that_the_followed_subgraph_lacks_is_told_of(tmp_path: Path) -> None:
    change = (M, "entity: Trade", "entity: Trad")
    (error,) = check(tmp_path, *FOLLOWING, change, expected=following(True)).errors
    assert error.hint == 'did you mean "Trade"?'


def test_following_needs_a_new_spec_version_and_an_id(tmp_path: Path) -> None:
    changes = ((M, "1.3.0", "1.2.0"), (M, DEPLOYMENT, "nothing"))
    messages = [str(error) for error in check(tmp_path, *FOLLOWING, *changes).errors]
    assert any("needs specVersion 1.3.0" in message for message in messages)
    assert any('"nothing" is no id of a deployment' in message for message in messages)


def test_chain_and_subgraphs_are_not_mixed(tmp_path: Path) -> None:
    source = write(tmp_path).joinpath(M).read_text().partition("dataSources:\n")[2]
    other = source.replace("name: Notes\n    network", "name: Others\n    network")
    (error,) = check(tmp_path, *FOLLOWING, (M, "dataSources:\n", f"dataSources:\n{other}")).errors
    assert "cannot be mixed" in error.message


# ── all at once ──────────────────────────────────────────────────────────────────────────────────


def test_all_problems_come_at_once_ordered_by_place(tmp_path: Path) -> None:
    checked = check(
        tmp_path,
        (M, "network: hardhat", "network: mainnet"),
        (M, "handler: handleStored", "handler: other"),
        (S, "id: Bytes!", "key: Bytes!"),
    )
    assert [(problem.file, problem.line) for problem in checked.problems] == [
        (M, 7),
        (M, 22),
        (S, 1),
    ]
    with pytest.raises(ManifestInvalid, match="3 problems") as caught:
        require_sound(checked, tmp_path)
    details = caught.value.details["problems"]
    assert isinstance(details, list)
    assert details[0]["line"] == 7


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("a: [", "it is no YAML"),
        ("- a", "it holds no mapping"),
        (None, "there is no such file"),
    ],
)
def test_what_is_no_manifest_is_one_problem(tmp_path: Path, text: str | None, told: str) -> None:
    if text is not None:
        (tmp_path / M).write_text(text)
    (problem,) = check_manifest(tmp_path).errors
    assert told in problem.message
