"""How a run ends: errors become one message, or one object, on stderr, and an exit code.

A traceback is shown only with `-vv`. A reader that closes its pipe (`harness logs | head`) has what
it wanted: that ends the run quietly.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from harness.errors import HarnessError

    from .session import Session

__all__ = ["ErrorReport", "end_quietly", "fail", "problem_lines", "run_reporting"]

_USAGE = 2
_INTERRUPTED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorReport:
    """An error, wherever it came from: raised here, or part of an answer.

    Attributes:
        shown: lines to read between the message and the hint; not part of the document.
    """

    kind: str
    message: str
    hint: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict)
    shown: Sequence[str] = ()

    @classmethod
    def of(cls, error: HarnessError) -> ErrorReport:
        """Make a report of an exception."""
        details = dict(error.details)
        problems = getattr(error, "problems", None)
        if problems and "problems" not in details:
            from dataclasses import asdict

            details["problems"] = [asdict(problem) for problem in problems]
        kind = getattr(error, "remote_kind", error.kind)
        return cls(kind=kind, message=str(error), hint=error.hint, details=details)

    @classmethod
    def of_answer(cls, error: Mapping[str, Any]) -> ErrorReport:
        """Make a report of the `error` of an operation."""
        return cls(
            kind=error["kind"],
            message=error["message"],
            hint=error.get("hint"),
            details=error.get("details") or {},
        )


def run_reporting(session: Session, arguments: Sequence[str], run: Callable[[], object]) -> int:
    """Run the program to its end, report what went wrong, and return the exit code."""
    try:
        try:
            result = run()
        except _ours() as error:
            _maybe_traceback(session)
            from .exit_codes import exit_code

            report(session, ErrorReport.of(error))
            return exit_code(type(error))
        except click.Abort:
            report(session, ErrorReport(kind="interrupted", message="interrupted"))
            return _INTERRUPTED
        except click.ClickException as error:
            # The mistake may stand before `--json`, and is answered as a document all the same.
            session.options.json |= "--json" in arguments
            _report_usage(session, error)
            return error.exit_code
        sys.stdout.flush()
    except BrokenPipeError:
        end_quietly()
        return 0
    return result if isinstance(result, int) else 0


def fail(session: Session, error: ErrorReport) -> NoReturn:
    """Report an error and end the run with its code."""
    from .exit_codes import exit_code_of_kind

    report(session, error)
    raise click.exceptions.Exit(exit_code_of_kind(error.kind))


def report(session: Session, error: ErrorReport) -> None:
    """Print one error on stderr."""
    hint = error.hint
    if hint and error.kind != "usage":  # help is the same for every stack
        hint = session.out.pasteable(hint)
    if session.out.json:
        document = {
            "kind": error.kind,
            "message": error.message,
            "hint": hint,
            "details": error.details,
        }
        import json

        click.echo(json.dumps({"error": document}), err=True)
        return
    problems = error.details.get("problems")
    # Those of a stack file; a plugin's errors may have other problems, and say them themselves.
    if problems and {"file", "path"} <= problems[0].keys():
        lines = [*problem_lines(problems), count_line(problems)]
    else:
        explained = _explanations(error)
        # The explanations say in full what the further lines of the message sum up.
        message = error.message.partition("\n")[0] if explained else error.message
        prefix = session.out.paint(f"{session.options.program.name}:", "bad", err=True)
        lines = [f"{prefix} {message}", *explained, *error.shown]
    if hint:
        lines.append(f"hint: {hint}")
    click.echo("\n".join(lines), err=True, color=True)


def problem_lines(problems: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return one `file:line:col: path: message; hint` line a problem, in file order."""
    return [_problem_line(problem) for problem in problems]


def count_line(problems: Sequence[object]) -> str:
    """Return the line that ends a list of problems."""
    noun = "problem" if len(problems) == 1 else "problems"
    return f"{len(problems)} {noun}; nothing was started"


def end_quietly() -> None:
    """Point stdout at nothing, so that the last flush of a closed pipe is no error."""
    with suppress(OSError, ValueError):
        devnull = os.open(os.devnull, os.O_WRONLY)
        os.dup2(devnull, sys.stdout.fileno())
        os.close(devnull)


def _problem_line(problem: Mapping[str, Any]) -> str:
    file = problem["file"]
    here = os.getcwd() + os.sep
    where = file.removeprefix(here)
    if problem["line"]:
        where += f":{problem['line']}:{problem['column']}"
    parts = [where, problem["path"], problem["message"]]
    text = ": ".join(part for part in parts if part)
    return f"{text}; {problem['hint']}" if problem.get("hint") else text


def _explanations(error: ErrorReport) -> list[str]:
    explanations = error.details.get("explanations")
    if not explanations:
        return []
    from harness.explanations import describe

    return [line for explanation in explanations for line in describe(explanation, depth=1)]


def _report_usage(session: Session, error: click.ClickException) -> None:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return
    hint = None
    context = error.ctx if isinstance(error, click.UsageError) else None
    if context is not None:
        hint = f"{context.command_path} --help"
    message = error.format_message().rstrip(".")
    message = message[:1].lower() + message[1:]
    report(session, ErrorReport(kind="usage", message=message, hint=hint))


def _ours() -> type[HarnessError]:
    """Return our errors' root; a run without an error never asks, and imports nothing for it."""
    from harness.errors import HarnessError

    return HarnessError


def _maybe_traceback(session: Session) -> None:
    if session.options.verbosity >= 2 and not session.out.json:
        import traceback

        traceback.print_exc()
