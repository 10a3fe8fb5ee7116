"""Which services of a stack belong together.

A stack mostly has one chain, one IPFS and one database, and nothing needs to be said. Where it has
several, a label of the service or task that needs one says which: `labels: {chain: second-chain}`.
"""

from __future__ import annotations

from harness.actions import Service, Task

from .errors import PeerUnclear

__all__ = ["peer_of"]


def peer_of(owner: Service | Task, service_type: str, *, label: str) -> Service:
    """Return the service of a type that another one, or a task, works with.

    Args:
        owner: the one that needs it.
        service_type: of the one that is needed.
        label: of `owner`, which names it where there are several.

    Raises:
        PeerUnclear: there is none, or there are several and no label.
        UnknownService: the label names none.
    """
    if (name := owner.labels.get(label)) is not None:
        return owner.peer(name) if isinstance(owner, Service) else owner.service(name)
    peers = owner.peers(service_type)
    if len(peers) == 1:
        return peers[0]
    names = ", ".join(peer.name for peer in peers)
    raise PeerUnclear(
        f'cannot tell which {label} "{owner.name}" works with: '
        f"{names or 'none'} {'are' if peers else 'is'} of the type {service_type}",
        hint=f"`labels: {{{label}: NAME}}` of {owner.name} names it"
        if peers
        else f"add a service with `service_type: {service_type}`",
    )
