"""Run ``nxscatter process`` in a child again and again and kill it, each time at another moment.

Called with a container, a copy of it to begin from, the number of kills and a file for the findings (JSON).
A child is a fork of this process, in which everything is imported already: so the kills fall on the work itself.
"""

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

from nxscatter.cli import run
from nxscatter.store.container import Container
from nxscatter.store.verify import verify


def start(arguments: list[str]) -> int:
    """Run a command in a child and return its process id."""
    child = os.fork()
    if child == 0:
        os._exit(run(arguments))
    return child


def ended(child: int, delay: float) -> bool:
    """Wait for a child, and kill it after a delay; return whether it came to its end."""
    until = time.monotonic() + delay
    while os.waitpid(child, os.WNOHANG)[0] == 0:
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return False
        time.sleep(0.0005)
    return True


def main(container: Path, before: Path, kills: int, findings: Path) -> None:
    arguments = ["process", str(container), "--q", "0.05,0.068", "--force"]
    run(arguments)  # imports everything
    started = time.monotonic()
    ended(start(arguments), 600.0)
    duration = time.monotonic() - started
    old = len(Container(before).records)
    dice = random.Random(5)
    found = []
    for _ in range(kills):
        shutil.copyfile(before, container)
        whole = ended(start(arguments), duration * (0.05 + dice.random()))
        found.append(
            {
                "ended": whole,
                "problems": verify(container).problems,
                "new": len(Container(container).records) - old,
                "names": sorted(path.name for path in container.parent.iterdir()),
            }
        )
    status = os.waitpid(start(arguments), 0)[1]
    names = sorted(path.name for path in container.parent.iterdir())
    findings.write_text(json.dumps({"runs": found, "last": {"status": status, "names": names}}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
