"""What goes wrong with IPFS."""

from __future__ import annotations

from graph_test_daemon.errors import GraphError

__all__ = ["ContentNotFound", "InvalidCid", "IpfsFault"]


class InvalidCid(GraphError):
    """A text names no content.

    Attributes:
        text: as it was given.
        cause: what is wrong with it.
    """

    kind = "invalid-cid"
    facts = ("text",)

    def __init__(self, *, text: str, cause: str) -> None:
        self.text = text
        self.cause = cause
        super().__init__(f'cannot read "{text}" as a CID: {cause}', details={"text": text})


class ContentNotFound(GraphError):
    """There is no such content where it was looked for.

    Attributes:
        what: a CID, or a path below one.
        cause: why it is not there.
    """

    kind = "content-not-found"
    facts = ("what",)

    def __init__(self, *, what: str, cause: str) -> None:
        self.what = what
        self.cause = cause
        super().__init__(f"cannot find {what}: {cause}", details={"what": what})


class IpfsFault(GraphError):
    """IPFS refused something, or has it in a form that cannot be used.

    Attributes:
        what: was to be done, such as `add a.txt`.
        cause: why it was not.
    """

    kind = "ipfs-fault"
    facts = ("what",)

    def __init__(self, *, what: str, cause: str, hint: str | None = None) -> None:
        self.what = what
        self.cause = cause
        super().__init__(f"cannot {what}: {cause}", hint=hint, details={"what": what})
