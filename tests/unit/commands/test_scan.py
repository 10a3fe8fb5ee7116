"""Who belongs to a tree, told from what one look at all processes shows."""

from __future__ import annotations

import os

from harness.commands import ProcessRef
from harness.commands.procfs import ProcessStat, boot_id, carries, process_ref, read_stat
from harness.commands.scan import Snapshot

MARK = "HARNESS_UNIT=p/u/1/t"


def stat(
    pid: int, parent: int = 1, session: int = 0, group: int = 0, state: str = "S"
) -> ProcessStat:
    return ProcessStat(
        pid=pid,
        state=state,
        parent=parent,
        group=group or session or pid,
        session=session or pid,
        ticks=0,
        start=pid * 10,
        rss_pages=1,
    )


def snapshot(*stats: ProcessStat, marked: tuple[int, ...] = ()) -> Snapshot:
    return Snapshot({s.pid: (s, (MARK,) if s.pid in marked else ()) for s in stats})


def pids(snap: Snapshot, main: int | None = 10, **more: object) -> list[int]:
    ref = ProcessRef(main, main * 10) if main is not None else None
    return sorted(found.pid for found in snap.members(marker=MARK, main=ref, **more))  # type: ignore[arg-type]


def test_whoever_carries_the_marker_is_a_member() -> None:
    assert pids(snapshot(stat(10), stat(20), stat(30), marked=(20,)), main=None) == [20]


def test_descendants_are_members_wherever_they_moved() -> None:
    snap = snapshot(stat(10), stat(11, parent=10), stat(12, parent=11, session=12), stat(13))
    assert pids(snap) == [10, 11, 12]


def test_orphans_in_the_session_or_group_of_a_running_main_process_are_members() -> None:
    snap = snapshot(stat(10), stat(11, session=10, group=11), stat(12, session=5, group=10))
    assert pids(snap) == [10, 11, 12]


def test_a_session_without_its_leader_counts_when_a_marked_process_is_in_it() -> None:
    orphans = stat(11, session=10), stat(12, session=10)
    assert pids(snapshot(*orphans, marked=(11,))) == [11, 12]
    assert pids(snapshot(*orphans)) == []


def test_a_session_of_a_stranger_with_the_same_number_does_not_count() -> None:
    stranger = stat(10)._replace(start=999)
    assert pids(snapshot(stranger, stat(11, parent=10, session=10))) == []


def test_processes_known_from_before_are_members_while_they_are_the_same() -> None:
    snap = snapshot(stat(20), stat(21, parent=20))
    assert pids(snap, known=[ProcessRef(20, 200)]) == [20, 21]
    assert pids(snap, known=[ProcessRef(20, 201)]) == []


def test_ended_processes_are_no_members_but_their_children_are() -> None:
    assert pids(snapshot(stat(10, state="Z"), stat(11, parent=10))) == [11]


def test_this_process_is_read_from_proc() -> None:
    own = read_stat(os.getpid())
    assert own is not None
    assert own.parent == os.getppid()
    assert own.session == os.getsid(0)
    assert process_ref(os.getpid()) == own.ref
    assert not own.is_dead


def test_a_process_that_does_not_exist_is_nobody() -> None:
    assert read_stat(1 << 30) is None
    assert not carries(1 << 30, MARK)


def test_the_boot_has_an_id() -> None:
    assert len(boot_id()) == 36
