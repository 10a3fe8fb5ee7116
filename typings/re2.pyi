"""The part of google-re2 that is used here; it ships no types of its own."""

from typing import AnyStr, Generic

class error(Exception): ...  # noqa: N801 (as the package names it)

class Options:
    log_errors: bool
    max_mem: int
    never_capture: bool
    never_nl: bool

class _Match(Generic[AnyStr]):
    def group(self, group: int = 0, /) -> AnyStr | None: ...
    def start(self, group: int = 0) -> int: ...

class _Regexp(Generic[AnyStr]):
    @property
    def groups(self) -> int: ...
    @property
    def programsize(self) -> int: ...
    def search(
        self, text: AnyStr, pos: int | None = None, endpos: int | None = None
    ) -> _Match[AnyStr] | None: ...

def compile(  # noqa: A001 (likewise)
    pattern: AnyStr, options: Options | None = None
) -> _Regexp[AnyStr]: ...
