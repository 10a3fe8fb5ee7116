"""The checklists of the style guide, as far as a program can check them."""

from __future__ import annotations

import ast
import importlib
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src"
MODULES = sorted(SOURCE.rglob("*.py"))
# Made by docs/generate.py: nobody reads it from top to bottom, and one name is found in one file.
GENERATED = SOURCE / "harness" / "client" / "results.py"
WRITTEN = [path for path in MODULES if path != GENERATED]
HARNESS = [path for path in MODULES if path.is_relative_to(SOURCE / "harness")]
GRAPH = [path for path in MODULES if path.is_relative_to(SOURCE / "graph_test_daemon")]

HARD_LIMIT, SOFT_LIMIT, TEST_LIMIT = 600, 400, 800
LONGER = {
    # One verb of the state table each; they share the run, its scopes and its failure.
    "harness/supervisor/effects.py",
    # The contract, and the two stores that keep it and are held against the same tests.
    "harness/storage.py",
    # The front door: every name of the wire, for checkers, for readers and for loading it.
    "harness/protocol/__init__.py",
    # The front door: one short method for each operation.
    "harness/supervisor/stacks.py",
    # What one unit is, waits for and undergoes; what it does is in effects.py.
    "harness/supervisor/unit.py",
}
"""Files over the soft limit; each has its reason, and none goes over the hard one."""

DOMAIN = re.compile(
    r"\b(graph[-_ ]node|subgraphs?|allocations?|indexers?|anvil|ethereum|ganache|hardhat|ipfs|"
    r"curation|delegators?)\b",
    re.IGNORECASE,
)
# Examples in the documentation of general checks, and one general word for a share of addresses.
SPOKEN_OF = {"allocation", "allocations"}

MACHINE = re.compile(r"(?<![\w.])/(work|root)/[A-Za-z.]|\.\./shared\b|/tmp/(lead|bash_jobs)")


def name(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def tracked() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True, text=True,
    )  # fmt: skip
    files = (ROOT / entry for entry in listed.stdout.split("\0") if entry)
    return [path for path in files if path.is_file() and not path.is_symlink()]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_it_is_for(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8")))


def test_no_source_file_is_over_the_hard_limit() -> None:
    assert {name(path): lines(path) for path in WRITTEN if lines(path) > HARD_LIMIT} == {}


def test_files_over_the_soft_limit_are_listed_with_their_reason() -> None:
    assert {name(path) for path in WRITTEN if lines(path) > SOFT_LIMIT} == LONGER


def test_no_test_file_is_over_its_limit() -> None:
    tests = (ROOT / "tests").rglob("*.py")
    assert [path.name for path in tests if lines(path) > TEST_LIMIT] == []


def exported(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets
        ):
            return [str(item) for item in ast.literal_eval(node.value)]
    return None


def bound(tree: ast.Module) -> set[str]:
    """Return the public names that a package's `__init__` takes from its modules or defines."""
    found: set[str] = set()
    for node in tree.body:
        match node:
            case ast.ImportFrom(module=str(), level=1):
                found |= {alias.asname or alias.name for alias in node.names}
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                found.add(node.name)
            case _:
                pass
    return {item for item in found if not item.startswith("_")}


def sorted_as_ruff_does(names: list[str]) -> list[str]:
    """Constants, then classes, then the rest."""
    return sorted(names, key=lambda n: (0 if n.isupper() else 1 if n[0].isupper() else 2, n))


@pytest.mark.parametrize("path", [path for path in MODULES if path.name == "__init__.py"], ids=name)
def test_a_package_exports_exactly_what_it_binds(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    names = exported(tree) or []
    assert bound(tree) <= set(names)
    assert len(set(names)) == len(names)
    assert names == sorted_as_ruff_does(names)


def module_name(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem != "__main__"], ids=name)
def test_a_module_has_everything_it_exports(path: Path) -> None:
    # Some packages load what they export when it is asked for, so their text does not say it.
    module = importlib.import_module(module_name(path))
    assert [item for item in getattr(module, "__all__", ()) if not hasattr(module, item)] == []


@pytest.mark.parametrize("path", HARNESS, ids=name)
def test_the_general_product_does_not_name_the_domain(path: Path) -> None:
    found = {m.group().lower() for m in DOMAIN.finditer(path.read_text(encoding="utf-8"))}
    assert found - SPOKEN_OF == set()


@pytest.mark.parametrize("path", HARNESS, ids=name)
def test_the_general_product_does_not_import_the_domain(path: Path) -> None:
    assert "graph_test_daemon" not in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", GRAPH, ids=name)
def test_the_domain_takes_the_general_product_by_its_front_doors(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    sources = [node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert [one for one in sources if re.fullmatch(r"harness(\.\w+){2,}", one)] == []


def test_no_file_names_the_machine_it_was_written_on() -> None:
    found = []
    for path in tracked():
        if path == Path(__file__):
            continue
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        found += [f"{path.relative_to(ROOT)}: {m.group()}" for m in MACHINE.finditer(text)]
    assert found == []


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_is_left_to_be_done(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"\b(TODO|FIXME|XXX)\b|raise NotImplementedError", text)
