"""Commands as real processes that start at once: a parent that has imported all forks one for each order.

`python -m tests.faults.nursery` reads orders from stdin, a JSON line each: words, environment and files for
output. It answers each with the new process's id, and tells the exit code of each that ends.
"""

from __future__ import annotations

import importlib
import json
import os
import select
import sys
from collections.abc import Mapping
from typing import Any

IMPORTED = (
    "workers.cli.main",
    "workers.cli.ingest_run",
    "workers.cli.ingest_steps",
    "workers.cli.compact",
    "workers.cli.repair",
    "workers.cli.snapshot",
    "workers.cli.serve",
    "workers.cli.rewritten",
    "workers.config",
    "loaders.lifecycle",
    "loaders.copies.repair_loop",
    "loaders.copies.retired",
    "loaders.rewrites.retract",
    "qserv.http.serve",
    "qserv.store",
)
_LOOK_S = 0.005


def main() -> None:
    """Fork until stdin ends."""
    for name in IMPORTED:
        importlib.import_module(name)
    tell(ready=True)
    while True:
        heard, _, _ = select.select([sys.stdin], [], [], _LOOK_S)
        if heard:
            line = sys.stdin.readline()
            if not line:
                return
            order = json.loads(line)
            pid = os.fork()
            if pid == 0:
                become(order)
            tell(born=pid)
        reap()


def reap() -> None:
    """Tell of the processes that have ended."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        tell(dead=pid, code=os.waitstatus_to_exitcode(status))


def tell(**said: object) -> None:
    sys.stdout.write(json.dumps(said) + "\n")
    sys.stdout.flush()


def become(order: Mapping[str, Any]) -> None:
    """Be the command of an order, and end."""
    from loaders import fail_points
    from workers.cli.main import main as command

    os.setsid()
    for handle, path in enumerate((os.devnull, order["out"], order["err"])):
        opened = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        os.dup2(opened, handle)
    os.environ.update(order["environment"])
    fail_points._ARMED.update(fail_points.armed(os.environ.get(fail_points.VARIABLE, "")))
    sys.argv = ["skyshard", *order["words"]]
    code = 1
    try:
        command()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  (it is the outermost loop of a process)
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing here needs an orderly end, which takes seconds after such imports
