"""Writing so that a file is always the old one or the new one, by one writer at a time."""

from __future__ import annotations

import errno
import fcntl
import glob
import io
import json
import os
import shutil
import socket
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, BinaryIO

from nxscatter.errors import ContainerError, LockedError

if TYPE_CHECKING:
    import h5py

LIBVER = ("earliest", "v110")  # what HDF5 1.10 can read, without the newest structures where older ones serve
_TEMPORARY = ".nxscatter-tmp"
_ANY_WRITE = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH
_FICLONE = 0x40049409


class Output(io.FileIO):
    """A file for h5py to write, which keeps the first failure in ``lost`` instead of raising it.

    On a full disk HDF5 loses data without an error when objects are dropped, and crashes when the file is closed.
    Told that all is well it ends in good order, and the file is thrown away.
    """

    lost: OSError | None = None

    def write(self, data: Any) -> int:
        """Write all of ``data``, if it can be."""
        left = memoryview(data).cast("B")
        size = len(left)
        try:
            while left:
                left = left[super().write(left) :]
        except OSError as error:
            self.lost = self.lost or error
        return size

    def truncate(self, size: int | None = None) -> int:
        """Change the size, if it can be."""
        try:
            return super().truncate(size)
        except OSError as error:
            self.lost = self.lost or error
            return size or 0

    def __repr__(self) -> str:
        """Path of the file, which h5py takes for its name."""
        return str(self.name)


@contextmanager
def hdf5_file(path: Path) -> Iterator[h5py.File]:
    """Give a new HDF5 file at ``path``, to be written in the block.

    Raises
    ------
    OSError
        When the disk is full, which would crash the library or lose data without a word.
    """
    import h5py

    output = Output(path, "w+b")
    try:
        with h5py.File(output, "w", libver=LIBVER) as file:
            yield file
    except (OSError, RuntimeError):
        if output.lost is None:
            raise
    finally:
        output.close()
    if output.lost is not None:
        raise output.lost


class Lock:
    """The right to write one file: a lock file beside it that names host, process and time.

    It is taken over only when the process on this same host is dead.

    Raises
    ------
    LockedError
        When somebody else holds it; the message names them and the lock file.
    """

    def __init__(self, target: Path) -> None:
        self.path = target.with_name(f".{target.name}.lock")
        self._text = json.dumps(
            {"host": socket.gethostname(), "pid": os.getpid(), "start": _start_time(os.getpid()), "time": time.time()}
        )

    def __enter__(self) -> Lock:
        """Take the lock."""
        try:
            handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
        except FileExistsError:
            self._take_over()
            return self
        except OSError as error:
            raise ContainerError(
                f"{self.path.parent}: cannot be written ({error.strerror}); choose another folder with -o"
            ) from error
        try:
            os.write(handle, self._text.encode())
        except OSError as error:
            self.path.unlink(missing_ok=True)
            raise ContainerError(
                f"{self.path.parent}: cannot be written ({error.strerror}); free some space or use -o"
            ) from error
        finally:
            os.close(handle)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Give the lock back."""
        self.path.unlink(missing_ok=True)

    def _take_over(self) -> None:
        for _ in range(20):
            try:
                with self.path.open("r+") as file:
                    # the flock keeps two processes from taking over one stale lock
                    fcntl.flock(file, fcntl.LOCK_EX)
                    if not self.path.exists() or os.fstat(file.fileno()).st_ino != self.path.stat().st_ino:
                        raise FileNotFoundError
                    text = file.read()
                    holder = _parse(text)
                    if holder is None and time.time() - os.fstat(file.fileno()).st_mtime < 1.0:
                        time.sleep(0.1)  # its maker is about to write it
                        continue
                    if holder is None or _is_dead(holder):
                        file.seek(0)
                        file.truncate()
                        file.write(self._text)
                        return
                    raise LockedError(
                        f"{self.path}: process {holder['pid']} on {holder['host']} is writing since "
                        f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(float(holder['time'])))}; "
                        "wait for it, or delete this lock file if that process is gone"
                    )
            except PermissionError as error:
                raise LockedError(f"{self.path}: another user is writing; wait, or have this file removed") from error
            except FileNotFoundError:
                with suppress(FileExistsError):
                    handle = os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
                    os.write(handle, self._text.encode())
                    os.close(handle)
                    return
        raise LockedError(f"{self.path}: is being taken by other processes; try again")


@contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Give a temporary path beside ``target``; when the block ends well it becomes ``target``, else nothing changes.

    The block must have written and closed it. Leftovers of killed runs are removed first, so the caller must hold
    the `Lock`. The mode bits of an old ``target`` are kept. If the block never makes the file, nothing happens.

    Raises
    ------
    ContainerError
        When the disk is full or the folder cannot be written.
    """
    for leftover in target.parent.glob(f".{glob.escape(target.name)}.*{_TEMPORARY}"):
        leftover.unlink(missing_ok=True)
    temporary = target.with_name(f".{target.name}.{os.getpid()}{_TEMPORARY}")
    try:
        yield temporary
        if temporary.exists():
            if target.exists():
                shutil.copymode(target, temporary)
            _flush(temporary)
            temporary.replace(target)
            _flush(target.parent)
    except OSError as error:
        raise disk_error(target, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def refuse_protected(target: Path) -> None:
    """Refuse to replace a file that is write-protected, which its folder alone would allow.

    Raises
    ------
    ContainerError
        When nobody, or this user, may write it.
    """
    if target.exists() and not (target.stat().st_mode & _ANY_WRITE and os.access(target, os.W_OK)):
        raise ContainerError(f"{target}: is write-protected; give it write permission (chmod u+w), or use -o")


def disk_error(target: Path, error: OSError) -> ContainerError:
    """Say in one line what kept ``target`` from being written."""
    full = error.errno == errno.ENOSPC or "No space left" in str(error)
    reason = "the disk is full" if full else (error.strerror or str(error).splitlines()[0])
    state = "the old file is intact" if target.exists() else "nothing was left behind"
    return ContainerError(f"{target}: cannot be written, {reason}; {state}; free some space or use another folder")


def clone(source: Path, target: Path) -> None:
    """Copy a file, sharing its blocks where the file system can."""
    with source.open("rb") as old, target.open("wb") as new:
        try:
            fcntl.ioctl(new, _FICLONE, old.fileno())
        except OSError:
            _copy(old, new)


def _copy(old: BinaryIO, new: BinaryIO) -> None:
    """Copy the rest of a file, inside the kernel where it can: several times faster than through this process."""
    try:
        while os.copy_file_range(old.fileno(), new.fileno(), 1 << 30):
            pass
    except OSError as error:
        if error.errno not in (errno.EXDEV, errno.ENOSYS, errno.EINVAL, errno.EOPNOTSUPP):
            raise
        shutil.copyfileobj(old, new, 1 << 18)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _parse(text: str) -> dict[str, str | int | float] | None:
    try:
        holder = json.loads(text)
    except ValueError:
        return None
    if not isinstance(holder, dict) or not isinstance(holder.get("pid"), int):
        return None
    return holder if {"host", "time"} <= set(holder) else None


def _is_dead(holder: dict[str, str | int | float]) -> bool:
    if holder["host"] != socket.gethostname():
        return False
    pid = int(holder["pid"])
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    # a new process may have got the number of a dead one; a killed one stays a zombie until it is reaped
    return holder.get("start") is not None and _start_time(pid) != holder["start"]


def _start_time(pid: int) -> str | None:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return "dead" if status[0] == "Z" else status[19]
