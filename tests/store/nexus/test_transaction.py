"""One writer at a time, and a file that is always the old one or the new one."""

import errno
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from nxscatter.errors import ContainerError, LockedError
from nxscatter.store import container
from nxscatter.store.nexus import transaction
from nxscatter.store.nexus.transaction import Lock, clone, replacing
from nxscatter.store.writer import create
from support import toy


@pytest.fixture
def target(tmp_path):
    path = tmp_path / "x.nxs"
    path.write_text("old")
    return path


def lock_text(pid, start=None, host=None):
    return json.dumps({"host": host or socket.gethostname(), "pid": pid, "start": start, "time": time.time()})


@pytest.fixture
def sleeper():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"]) as process:
        yield process
        process.kill()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_lock_names_its_holder_and_goes_away(target):
    with Lock(target) as lock:
        holder = json.loads(lock.path.read_text())
        assert (holder["host"], holder["pid"]) == (socket.gethostname(), os.getpid())
    assert files(target.parent) == ["x.nxs"]


def test_a_second_writer_is_refused_by_name(target):
    with Lock(target) as lock, pytest.raises(LockedError, match=f"process {os.getpid()} on {socket.gethostname()}"):
        lock.__class__(target).__enter__()
    assert files(target.parent) == ["x.nxs"]


def test_the_lock_of_a_living_process_stays(target, sleeper):
    path = target.with_name(".x.nxs.lock")
    path.write_text(lock_text(sleeper.pid, transaction._start_time(sleeper.pid)))
    with pytest.raises(LockedError, match=str(sleeper.pid)), Lock(target):
        pass
    assert path.exists()


def test_the_lock_of_a_dead_process_is_taken_over(target, sleeper):
    text = lock_text(sleeper.pid, transaction._start_time(sleeper.pid))
    sleeper.kill()
    sleeper.wait()
    target.with_name(".x.nxs.lock").write_text(text)
    with Lock(target) as lock:
        assert json.loads(lock.path.read_text())["pid"] == os.getpid()
    assert files(target.parent) == ["x.nxs"]


def test_the_lock_of_a_zombie_is_taken_over(target, sleeper):
    text = lock_text(sleeper.pid, transaction._start_time(sleeper.pid))
    sleeper.kill()
    while transaction._start_time(sleeper.pid) != "dead":
        time.sleep(0.01)
    target.with_name(".x.nxs.lock").write_text(text)
    with Lock(target):
        pass


def test_a_number_that_another_process_has_now_does_not_hold_a_lock(target, sleeper):
    target.with_name(".x.nxs.lock").write_text(lock_text(sleeper.pid, "1"))
    with Lock(target):
        pass


def test_the_lock_of_another_host_stays(target):
    target.with_name(".x.nxs.lock").write_text(lock_text(2**22 + 1, host="elsewhere"))
    with pytest.raises(LockedError, match=r"elsewhere.*delete this lock file"), Lock(target):
        pass


@pytest.mark.parametrize("text", ["", "half of a {", '{"pid": "x", "host": 1, "time": 2}', "[]"])
def test_an_old_lock_that_nobody_can_read_is_taken_over(target, text):
    path = target.with_name(".x.nxs.lock")
    path.write_text(text)
    os.utime(path, (0, 0))
    with Lock(target):
        assert json.loads(path.read_text())["pid"] == os.getpid()


def test_of_many_writers_one_at_a_time_gets_the_lock(target):
    inside, highest, done = [], [], []

    def write():
        for _ in range(200):
            try:
                with Lock(target):
                    inside.append(1)
                    highest.append(len(inside))
                    time.sleep(0.001)
                    inside.pop()
                done.append(1)
                return
            except LockedError:
                time.sleep(0.002)

    writers = [threading.Thread(target=write) for _ in range(8)]
    for one in writers:
        one.start()
    for one in writers:
        one.join()
    assert len(done) == 8
    assert max(highest) == 1


def test_replacing_puts_the_new_file_in_place(target):
    target.chmod(0o640)
    with replacing(target) as temporary:
        temporary.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert target.stat().st_mode & 0o777 == 0o640
    assert files(target.parent) == ["x.nxs"]


def test_a_reader_keeps_the_version_that_it_opened(target):
    with target.open() as reader:
        with replacing(target) as temporary:
            temporary.write_text("new")
        assert reader.read() == "old"


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, OSError(errno.ENOSPC, "No space left on device")])
def test_a_failure_leaves_the_old_file_and_nothing_else(target, error):
    def fail():
        with replacing(target) as temporary:
            temporary.write_text("half")
            raise error

    with pytest.raises((ValueError, KeyboardInterrupt, ContainerError)):
        fail()
    assert target.read_text() == "old"
    assert files(target.parent) == ["x.nxs"]


def test_a_block_that_writes_nothing_changes_nothing(target):
    before = target.stat()
    with replacing(target):
        pass
    assert (target.stat().st_ino, target.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


@pytest.mark.parametrize("name", ["x.nxs", "odd [1]*.nxs"])
def test_leftovers_of_killed_runs_go_away(tmp_path, name):
    target = tmp_path / name
    leftover = tmp_path / f".{name}.123{transaction._TEMPORARY}"
    other = tmp_path / f".y.nxs.123{transaction._TEMPORARY}"
    for path in (target, leftover, other):
        path.write_text("")
    with replacing(target):
        pass
    assert files(tmp_path) == sorted([name, other.name])


def test_a_clone_has_the_same_bytes(tmp_path):
    source = tmp_path / "a"
    source.write_bytes(os.urandom(100_000))
    clone(source, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


def test_a_clone_is_made_where_the_kernel_cannot_copy(tmp_path, monkeypatch):
    source = tmp_path / "a"
    source.write_bytes(os.urandom(100_000))
    calls = iter([4096])

    def refuse(old, new, count):
        copied = next(calls, None)
        if copied is None:
            raise OSError(errno.EINVAL, "Invalid argument")
        return os.write(new, os.read(old, copied))

    monkeypatch.setattr(os, "copy_file_range", refuse)
    clone(source, tmp_path / "b")
    assert (tmp_path / "b").read_bytes() == source.read_bytes()


def test_a_full_disk_stops_a_clone(tmp_path, monkeypatch):
    (tmp_path / "a").write_bytes(b"x")

    def full(old, new, count):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "copy_file_range", full)
    with pytest.raises(OSError, match="No space left"):
        clone(tmp_path / "a", tmp_path / "b")


def test_links_are_followed_to_the_file(box, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.nxs"
    link.symlink_to(box.path)
    from nxscatter.workflow import runner

    runner.run(container.Container(link), toy.ToyCaving(fill=1.0))
    assert link.is_symlink()
    assert files(link.parent) == ["link.nxs"]
    assert container.Container(box.path).latest("toy_caving").number == 2


def test_a_folder_that_is_a_file_is_an_error_in_one_line(tmp_path):
    (tmp_path / "folder").write_text("")
    for path in (tmp_path / "folder" / "x.nxs", tmp_path / "folder" / "deep" / "x.nxs"):
        with pytest.raises(ContainerError) as caught:
            create(path, toy.scan())
        assert str(path.parent) in str(caught.value)
        assert "\n" not in str(caught.value)
    assert files(tmp_path) == ["folder"]


def test_a_folder_without_permission_is_an_error_in_one_line(target, monkeypatch):
    real = os.open

    def refuse(path, flags, *arguments, **keywords):
        if flags & os.O_CREAT:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, flags, *arguments, **keywords)

    monkeypatch.setattr(os, "open", refuse)
    with (
        pytest.raises(ContainerError, match=r"cannot be written \(Permission denied\); choose another folder"),
        Lock(target),
    ):
        pass
    assert target.read_text() == "old"


@pytest.fixture
def full_disk(tmp_path):
    """A folder on a file system of 400 kB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_the_old_file(full_disk, toy_file):
    path = full_disk / "toy.nxs"
    path.write_bytes(toy_file.read_bytes())
    before = path.read_bytes()
    from nxscatter.store.verify import verify
    from nxscatter.workflow import runner

    with pytest.raises(ContainerError, match="the disk is full; the old file is intact"):
        runner.run(container.Container(path), toy.ToyCaving(fill=1.0))
    assert files(full_disk) == ["toy.nxs"]
    assert path.read_bytes() == before
    assert verify(path).ok


@pytest.mark.parametrize("free", [20_000, 120_000, 200_000])
def test_a_full_disk_leaves_no_half_of_a_new_file(full_disk, free):
    filler = full_disk / "filler"
    filler.write_bytes(bytes(400 * 1024 - free))
    with pytest.raises(ContainerError, match="the disk is full; nothing was left behind"):
        toy.make(full_disk / "toy.nxs")
    assert files(full_disk) == ["filler"]


def test_a_full_disk_ends_the_program_in_good_order(full_disk):
    (full_disk / "filler").write_bytes(bytes(400 * 1024 - 60_000))
    program = """
import sys
from support import toy
from pathlib import Path
from nxscatter.errors import ContainerError
try:
    toy.make(Path(sys.argv[1]))
except ContainerError as error:
    sys.exit(str(error))
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, str(full_disk / "toy.nxs")],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": str(Path(toy.__file__).parents[1])},
    )
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "the disk is full" in ended.stderr


def test_a_full_disk_is_named_when_the_lock_cannot_be_written(full_disk):
    (full_disk / "filler").write_bytes(bytes(400 * 1024))
    with pytest.raises(ContainerError, match="No space left on device"), Lock(Path(full_disk) / "x.nxs"):
        pass
    assert files(full_disk) == ["filler"]
