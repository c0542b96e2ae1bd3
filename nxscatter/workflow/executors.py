"""Who does the work of a batch: processes on this machine, or a Dask cluster, both as standard executors."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from nxscatter.errors import NxscatterError, ParameterError
from nxscatter.store.nexus.allocator import keep_freed_memory

P = ParamSpec("P")
R = TypeVar("R")
_ANSWER = 10  # seconds within which a scheduler answers


class LocalProcesses(Executor):
    """Worker processes on this machine. A worker that a call kills takes no other call with it.

    A call whose worker dies is made once more, by a new worker. Workers end with their parent, even when that is
    killed.

    Parameters
    ----------
    count : int
        How many work at the same time.
    """

    def __init__(self, count: int) -> None:
        # the first worker of a program starts it, which would let interrupts into that worker's thread again
        resource_tracker.ensure_running()
        # one thread for each worker, to which it gives one call at a time
        self._threads = ThreadPoolExecutor(count, initializer=_leave_interrupts_to_the_main_thread)
        self._own = threading.local()
        self._pools: list[ProcessPoolExecutor] = []

    def submit(self, fn: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> Future[R]:
        """Schedule a call."""
        return self._threads.submit(self._call, fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the workers when their calls are done; calls that have not begun may be cancelled."""
        self._threads.shutdown(wait, cancel_futures=cancel_futures)
        for pool in self._pools:
            pool.shutdown(wait)

    def _call(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        for _ in range(2):
            if not hasattr(self._own, "worker"):
                # forked HDF5 and OpenMP libraries may hang
                context = multiprocessing.get_context("spawn")
                self._own.worker = ProcessPoolExecutor(1, mp_context=context, initializer=_start_worker)
                self._pools.append(self._own.worker)
            try:
                return self._own.worker.submit(function, *args, **kwargs).result()
            except BrokenProcessPool:
                del self._own.worker
        raise NxscatterError(
            "the process that worked on it died, twice; the file may be damaged, or the memory too small for all --jobs"
        )


@contextmanager
def local_processes(count: int) -> Iterator[Executor]:
    """Give worker processes on this machine; what they are writing when the block ends is finished."""
    executor = LocalProcesses(count)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def dask_cluster(address: str) -> Iterator[Executor]:
    """Give the workers of a Dask cluster, which must see the same files under the same paths.

    The work of a worker that dies is done by another one.

    Parameters
    ----------
    address : str
        Of the scheduler, as ``"tcp://node017:8786"``, or the path of its scheduler file.

    Raises
    ------
    ParameterError
        When the package distributed is not installed.
    NxscatterError
        When the scheduler does not answer.
    """
    try:
        from distributed import Client
    except ImportError as error:
        raise ParameterError('--scheduler needs Dask: pip install "nxscatter[cluster]"') from error
    where = {"scheduler_file": address} if address.endswith(".json") else {"address": address}
    if "scheduler_file" in where and not Path(address).is_file():
        raise ParameterError(f"--scheduler {address}: no such file; start the scheduler with --scheduler-file")
    try:
        client = Client(**where, timeout=_ANSWER)  # type: ignore[no-untyped-call]
    except (OSError, ValueError, TimeoutError) as error:
        raise NxscatterError(
            f"--scheduler {address}: does not answer ({str(error).splitlines()[0]}); start it or check the address"
        ) from error
    with client:
        client.register_worker_callbacks(keep_freed_memory)  # type: ignore[no-untyped-call]
        executor = client.get_executor(pure=False)  # type: ignore[no-untyped-call]
        try:
            yield executor
        finally:
            executor.shutdown(wait=False)  # what has not begun is left, what is being written is finished


def _leave_interrupts_to_the_main_thread() -> None:
    """Keep Ctrl-C from this thread and the processes that it starts: the main thread lets them finish."""
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGINT])


def _start_worker() -> None:
    keep_freed_memory()
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)
