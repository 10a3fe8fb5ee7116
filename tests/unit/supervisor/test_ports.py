from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from harness.model import PortProtocol, PortSpec
from harness.supervisor.ports import PortBook, PortTaken, assign_ports

TCP, UDP = PortProtocol.TCP, PortProtocol.UDP


def port(host: int | None = None, **more) -> PortSpec:
    return PortSpec(name="http", host=host, **more)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.socket() as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        yield sock


def number(sock: socket.socket) -> int:
    return int(sock.getsockname()[1])


def assign(wanted: dict[str, PortSpec], remembered=None, reserved=None) -> dict[str, int]:
    return assign_ports(wanted, remembered=remembered or {}, reserved=reserved or {})


def test_an_automatic_port_is_free() -> None:
    found = assign({"http": port()})["http"]
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", found))


def test_automatic_ports_of_one_unit_differ() -> None:
    found = assign({str(n): port() for n in range(50)})
    assert len(set(found.values())) == 50


def test_the_port_of_the_last_run_is_taken_again() -> None:
    before = assign({"http": port()})
    assert assign({"http": port()}, remembered=before) == before


def test_a_remembered_port_that_others_use_is_given_up(listener) -> None:
    taken = number(listener)
    assert assign({"http": port()}, remembered={"http": taken})["http"] != taken


def test_a_remembered_port_that_is_reserved_is_given_up() -> None:
    before = assign({"http": port()})
    after = assign({"http": port()}, remembered=before, reserved={(TCP, before["http"]): "p/other"})
    assert after != before


def test_a_fixed_port_in_use_names_its_holder(listener) -> None:
    with pytest.raises(PortTaken) as caught:
        assign({"http": port(number(listener))})
    assert f"port {number(listener)} is already in use by" in str(caught.value)
    assert f"(pid {os.getpid()})" in str(caught.value)


def test_a_fixed_port_of_another_unit_names_that_unit() -> None:
    free = assign({"http": port()})["http"]
    with pytest.raises(PortTaken, match="in use by p/web"):
        assign({"http": port(free)}, reserved={(TCP, free): "p/web"})


def test_a_udp_port_in_use_names_its_holder() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        with pytest.raises(PortTaken, match=f"pid {os.getpid()}"):
            assign({"dns": port(number(sock), protocol=PortProtocol.UDP)})


def test_an_ipv6_address_gets_a_port_too() -> None:
    assert assign({"http": port(address="::1")})["http"] > 0


def test_a_closed_connection_does_not_make_a_port_taken(listener) -> None:
    with socket.create_connection(listener.getsockname()):
        accepted, _ = listener.accept()
        accepted.close()
    taken = number(listener)
    listener.close()
    assert assign({"http": port(taken)}) == {"http": taken}


def test_a_book_gives_two_units_different_ports() -> None:
    book = PortBook()
    one = book.assign("p/a", {"http": port()}, remembered={})
    two = book.assign("p/b", {"http": port()}, remembered=one)
    assert one["http"] != two["http"]


def test_a_released_port_may_be_taken() -> None:
    book = PortBook()
    fixed = book.assign("p/a", {"http": port()}, remembered={})["http"]
    with pytest.raises(PortTaken, match="p/a"):
        book.assign("p/b", {"http": port(fixed)}, remembered={})
    book.release("p/a")
    assert book.assign("p/b", {"http": port(fixed)}, remembered={}) == {"http": fixed}


def test_a_unit_does_not_stand_in_its_own_way() -> None:
    book = PortBook()
    first = book.assign("p/a", {"http": port()}, remembered={})
    assert book.assign("p/a", {"http": port(first["http"])}, remembered={}) == first


def test_ports_of_an_adopted_unit_are_held() -> None:
    book = PortBook()
    free = assign({"http": port()})
    book.hold("p/adopted", free, {"http": port(free["http"])})
    with pytest.raises(PortTaken, match="p/adopted"):
        book.assign("p/b", {"http": port(free["http"])}, remembered={})


def test_a_tcp_port_and_a_udp_port_of_one_number_are_no_clash() -> None:
    number = assign({"http": port()})["http"]
    both = {"tcp": port(number), "udp": port(number, protocol=UDP)}
    assert assign(both) == {"tcp": number, "udp": number}
    book = PortBook()
    book.assign("p/a", {"http": port(number)}, remembered={})
    book.assign("p/b", {"dns": port(number, protocol=UDP)}, remembered={})
    with pytest.raises(PortTaken, match="p/b"):
        book.assign("p/c", {"dns": port(number, protocol=UDP)}, remembered={})
    book.release("p/b")
    book.assign("p/c", {"dns": port(number, protocol=UDP)}, remembered={})
    with pytest.raises(PortTaken, match="p/a"):
        book.assign("p/b", {"http": port(number)}, remembered={})


def test_a_remembered_port_is_kept_when_only_the_other_protocol_has_its_number() -> None:
    before = assign({"dns": port(protocol=UDP)})
    reserved = {(TCP, before["dns"]): "p/web"}
    after = assign({"dns": port(protocol=UDP)}, remembered=before, reserved=reserved)
    assert after == before


def test_an_adopted_port_whose_name_is_gone_from_the_file_is_held_as_tcp() -> None:
    book = PortBook()
    free = assign({"http": port()})["http"]
    book.hold("p/adopted", {"old": free}, {})
    with pytest.raises(PortTaken, match="p/adopted"):
        book.assign("p/b", {"http": port(free)}, remembered={})
