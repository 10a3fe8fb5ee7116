"""A command as a file says it to the argument list that runs."""

from __future__ import annotations

from .grammar import InterpolationSyntaxError, split_words
from .problems import Site

__all__ = ["argv", "split"]

_SHELL_WORDS = ("|", "||", "&&", "&", ";", ">", ">>", "<", "2>", "2>&1")


def argv(
    command: str | tuple[str, ...], args: tuple[str, ...] | None, shell: bool, site: Site
) -> tuple[str, ...]:
    """Return the arguments; empty when that was a problem, which is reported at `site`.

    With `args`, a text is the program alone; without, it is split into words. `shell` hands the
    text to /bin/sh.
    """
    if shell:
        if not isinstance(command, str) or args is not None:
            site.report("config-value", "with `shell: true` the command is one text, without args")
            return ()
        return ("/bin/sh", "-c", command) if _filled((command,), site) else ()
    if isinstance(command, str):
        words = split(command, site) if args is None else (command,)
    else:
        words = command
    return (*words, *(args or ())) if words is not None and _filled(words, site) else ()


def split(text: str, site: Site) -> tuple[str, ...] | None:
    """Split a command line; None when it cannot be, which is reported."""
    try:
        words = split_words(text)
    except InterpolationSyntaxError:
        return None  # reported with every other reference of the unit
    except ValueError as error:
        reason = str(error)
        site.report("config-value", f"cannot be split into words: {reason[:1].lower()}{reason[1:]}")
        return None
    for word in words:
        if word in _SHELL_WORDS:
            site.warn(
                "config-value", f'"{word}" is a plain argument here: no shell reads this line',
                "add `shell: true`, or quote it",
            )  # fmt: skip
            break
    return words


def _filled(words: tuple[str, ...], site: Site) -> bool:
    if words and words[0].strip():
        return True
    site.report("config-value", "the command is empty")
    return False
