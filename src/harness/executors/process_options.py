"""What a stack file says of a unit of type `process`, and what units of this type can do."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field

from harness.commands import check_limits
from harness.model import InvalidOption

from .base import Capabilities

__all__ = ["PROCESS_CAPABILITIES", "ProcessOptions"]

PROCESS_CAPABILITIES = Capabilities(
    exec=True, stdin=True, signals=True, logs=True, recovers=True, run_as_user=True
)

_DEFAULT_UMASK = 0o022


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessOptions:
    """What to run: `command`, or `binary` with `args`."""

    command: tuple[str, ...] | str | None = None
    """Program and arguments: a list, or a text split as a shell would split it, without one."""

    binary: str | None = None
    """Program to run with `args`, in place of `command`."""

    args: tuple[str, ...] = ()
    """Arguments of `binary`."""

    shell: bool = False
    """Run `command`, a text, as a line of `/bin/sh`."""

    working_dir: str | None = None
    """Where it runs, relative to the stack file's directory, which is also the default."""

    user: str | None = None
    """User to run as, a name or a number, with `:group` if wanted; needs root."""

    umask: str | int | None = None
    """File mode bits to withhold, in octal digits such as 077; 022 unless given."""

    nice: int | None = None
    """Added to the daemon's niceness: -20 to 19; below 0 needs root."""

    limits: dict[str, int] = field(default_factory=dict)
    """Resource limits by name, such as nofile: 4096; sizes in bytes, -1 for unlimited."""

    stdin: bool = False
    """Keep an input open that can be written to; otherwise the input is empty."""

    def __post_init__(self) -> None:
        if (self.command is None) == (self.binary is None):
            raise ValueError('set either "command" or "binary"')
        if self.args and self.binary is None:
            raise InvalidOption('"args" belong to "binary"', path=("args",))
        if self.shell and not isinstance(self.command, str):
            cause = 'with "shell: true" the command must be one text'
            raise InvalidOption(cause, path=("shell",))
        if not self.argv or not self.argv[-1 if self.shell else 0].strip():
            raise InvalidOption("the command is empty", path=("command",))
        if self.nice is not None and not -20 <= self.nice <= 19:
            cause = f'"nice" must be between -20 and 19, not {self.nice}'
            raise InvalidOption(cause, path=("nice",))
        check_limits(self.limits)
        _ = self.umask_bits

    @property
    def argv(self) -> tuple[str, ...]:
        """Program and arguments."""
        if self.binary is not None:
            return (self.binary, *self.args)
        if self.shell:
            return ("/bin/sh", "-c", str(self.command))
        if isinstance(self.command, str):
            try:
                return tuple(shlex.split(self.command))
            except ValueError as error:
                cause = f"the command cannot be split: {error}"
                raise InvalidOption(cause, path=("command",)) from None
        return self.command or ()

    @property
    def umask_bits(self) -> int:
        """The umask as a number. Digits are octal, also when YAML reads them as a number."""
        if self.umask is None:
            # Not the daemon's, which is that of whichever shell happened to start it.
            return _DEFAULT_UMASK
        text = str(self.umask).removeprefix("0o")
        if not text or not set(text) <= set("01234567") or int(text, 8) > 0o777:
            cause = f'"umask" must be up to three octal digits, not {self.umask}'
            raise InvalidOption(cause, path=("umask",))
        return int(text, 8)
