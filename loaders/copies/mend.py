"""One copy mended: looked at, made anew where it must be, and only then named to readers."""

from __future__ import annotations

from collections.abc import Callable

from loaders.copies.replicas import (
    AWAY,
    Copies,
    NoGoodCopy,
    copy_fault,
    copy_replica,
    good_copy,
    rebuild_twin,
    renew_books,
    restore_from_twin,
    switch_off,
    switch_on,
    switch_twin,
    twin_fault,
)
from loaders.fail_points import reach
from schema.errors import StoreError
from schema.manifest import Part, Replica
from schema.topology import ShardId

Mended = Callable[[], bool]


def mend(copies: Copies, part: Part, shard_id: ShardId) -> str:
    """Give a shard a good copy of a part, with a twin; says what was done.

    Raises NoGoodCopy where the copy is bad and there is none to copy, Unavailable where a server that
    is needed is away. May be cut off anywhere and called again.
    """
    fault = _fault(copies, part, shard_id)
    if fault is not None:
        make = _way(copies, part, shard_id)
        if any(replica.shard_id != shard_id for replica in part.replicas):
            switch_off(copies, part, shard_id)
        reach("copy.begun")
        has_twin = make()
        reach("copy.twinned")
        switch_on(copies, part, Replica(shard_id, has_twin))
        reach("copy.done")
        return f"copied anew: {fault}"
    renew_books(copies, part, shard_id)
    told = twin_fault(copies, part, shard_id)
    if told is not None:
        switch_twin(copies, part, shard_id, has_twin=False)
        rebuild_twin(copies, part, shard_id)
        reach("copy.twinned")
    has_twin = copies.twins(part, shard_id) is not None
    switch_on(copies, part, Replica(shard_id, has_twin))
    return f"twin written anew: {told}" if told else "was good, is named again"


def _fault(copies: Copies, part: Part, shard_id: ShardId) -> str | None:
    try:
        return copy_fault(copies, part, shard_id)
    except StoreError as error:
        return str(error)


def _way(copies: Copies, part: Part, shard_id: ShardId) -> Mended:
    """How a copy can be made: from another shard's, or else from any twin, its own too."""
    try:
        source = good_copy(copies, part, without=shard_id)
        return lambda: copy_replica(copies, part, source, shard_id)
    except (NoGoodCopy, *AWAY):
        for replica in part.replicas:
            folder = copies.twins(part, replica.shard_id)
            if folder is not None and twin_fault(copies, part, replica.shard_id) is None:
                twin_of = replica.shard_id
                return lambda: restore_from_twin(copies, part, twin_of, shard_id)
        raise
