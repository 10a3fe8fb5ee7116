"""Which services of a stack belong together.

A stack mostly has one chain, one IPFS and one database, and nothing needs to be said. Where it has
several, a label of the service that needs one says which: `labels: {chain: second-chain}`.
"""

from __future__ import annotations

from harness.actions import Service

from .errors import PeerUnclear

__all__ = ["peer_of"]


def peer_of(service: Service, service_type: str, *, label: str) -> Service:
    """Return the service of a type that another one works with.

    Args:
        service: the one that needs it.
        service_type: of the one that is needed.
        label: of `service`, which names it where there are several.

    Raises:
        PeerUnclear: there is none, or there are several and no label.
        UnknownService: the label names none.
    """
    if label in service.labels:
        return service.peer(service.labels[label])
    peers = service.peers(service_type)
    if len(peers) == 1:
        return peers[0]
    names = ", ".join(peer.name for peer in peers)
    raise PeerUnclear(
        f'cannot tell which {label} "{service.name}" works with: '
        + (f"{names} are of the type {service_type}" if peers else f"none is a {service_type}"),
        hint=f"`labels: {{{label}: NAME}}` of {service.name} names it"
        if peers
        else f"add a service with `service_type: {service_type}`",
    )
