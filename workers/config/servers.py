"""From settings to a topology: the DSNs that everything else connects with."""

from __future__ import annotations

from pathlib import Path

from schema.errors import ConfigError
from schema.topology import Shard, ShardId, Topology
from workers.config.settings import Settings
from workers.local.state import ClusterState, Secrets, read_secrets, read_state

DATABASE = "skyshard"
ROLE = "skyshard"


class NoCluster(ConfigError):
    """No cluster was started at this home."""

    code = "NO_CLUSTER"

    def __init__(self, home: Path) -> None:
        super().__init__(
            f"no cluster at {home}; start one with `skyshard up`, or name another with --home"
        )
        self.home = home


def topology(settings: Settings) -> Topology:
    """Where the coordinator and the shards are.

    Embedded servers are found by what `up` remembered; raises NoCluster before the first `up`.
    """
    if not settings.is_embedded:
        return _external(settings)
    state, secrets = read_state(settings.home), read_secrets(settings.home)
    if state is None or secrets is None or not state.shards:
        raise NoCluster(settings.home)
    return embedded(settings.home, state, secrets)


def embedded(home: Path, state: ClusterState, secrets: Secrets) -> Topology:
    """The topology of servers on this machine."""
    return Topology(
        coordinator=local_dsn(state.ports["coordinator"], secrets),
        shards=tuple(
            Shard(
                shard_id=ShardId(number),
                dsn=local_dsn(state.ports[f"shard-{number}"], secrets),
                scan=f"grpc://127.0.0.1:{state.ports[f'scan-{number}']}",
                twins=twins_folder(home, number),
            )
            for number in range(1, state.shards + 1)
        ),
        scan_token=secrets.scan_token,
    )


def local_dsn(port: int, secrets: Secrets) -> str:
    """DSN of Skyshard's role on an embedded server."""
    return f"postgresql://{ROLE}:{secrets.role}@127.0.0.1:{port}/{DATABASE}"


def twins_folder(home: Path, number: int) -> Path:
    """Folder of the Parquet twins of an embedded shard."""
    return home / "twins" / f"shard-{number}"


def _external(settings: Settings) -> Topology:
    assert settings.coordinator_dsn is not None
    return Topology(
        coordinator=settings.coordinator_dsn,
        shards=tuple(
            Shard(ShardId(number), server.dsn, server.scan, server.twins, server.weight)
            for number, server in enumerate(settings.servers, 1)
        ),
        scan_token=settings.scan_token,
    )
