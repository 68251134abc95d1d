"""A store with an open, a closed and a mixed catalog, users of all kinds, and its HTTP face."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from loaders.options import Site
from procedures.rights import grant, revoke
from procedures.tokens import create_token, revoke_token
from procedures.users import add_group, add_user, join_group, remove_principal
from qserv.http.ingest import IngestAccess
from qserv.http.queries import QueryAccess
from qserv.http.serve import make_server
from qserv.http.service import Service
from qserv.limits import ANONYMOUS, Limits
from qserv.query_log import LogSettings
from qserv.rights.authority import Authority
from qserv.rights.credentials import AccessSettings
from qserv.rights.passwords import hash_password
from qserv.rights.quotas import Quotas
from qserv.scan.engine import EngineSettings
from qserv.scan.server import ScanServer
from qserv.store import Store, StoreSettings, open_store
from qserv.tap_query import answer_tap
from qserv.uploads.files import UploadFiles
from schema.manifest import PartKind
from schema.rights import Quota, Scope
from schema.topology import Topology
from tests.loaders.lab import Lab, lab
from tests.loaders.skies import SKY, objects, sources_of
from tests.support.postgres import Server
from tests.support.sharded import TOKEN

PASSWORD = "correct horse"
MARKER = "xyzzy-plugh"
"""A word that stands in rows which few may read."""
USER_SCOPES = (Scope.READ_TAP, Scope.WRITE_TABLES)


@dataclass(frozen=True)
class Guarded:
    """What the tests of rights ask: tokens by user, and how to change rights."""

    lab: Lab
    store: Store
    url: str
    tokens: dict[str, str]
    authority: Authority

    def change(self, what: Any, *given: Any, **options: Any) -> Any:
        """Call a procedure on the coordinator and commit."""
        with self.lab.pools.coordinator() as connection:
            found = what(connection, *given, **options)
            connection.commit()
            return found

    def parts_of(self, catalog: str) -> set[int]:
        """The ids of all parts of a catalog."""
        manifest = self.store.pin().manifests[catalog]
        kinds = list(PartKind)
        return {
            int(part.part_id)
            for table in (one.name for one in self.lab.catalog.tables)
            for kind in kinds
            for part in manifest.parts_of(table, kind)
        }


@contextmanager
def guarded(
    server: Server,
    folder: Path,
    settings: AccessSettings | None = None,
    *,
    quota: Quota | None = None,
    limits: Limits = ANONYMOUS,
    engines: bool = False,
) -> Iterator[Guarded]:
    """Catalogs `plain`, `vault` (closed) and `mixed` (its Note is closed), of the same rows.

    With `engines` each shard has a scan engine over its twins.

    Users: alice in the group survey, which reads vault; bob, who reads what everybody does; loader,
    who may ingest only; root, who may everything.
    """
    with lab(server, dataclasses.replace(SKY, name="plain"), folder) as made:
        _fill(made)
        _fill(made.with_catalog("vault", _folder(folder, "vault")), note=MARKER)
        _fill(made.with_catalog("mixed", _folder(folder, "mixed")), note=MARKER)
        with made.pools.coordinator() as connection:
            tokens = _people(connection)
            connection.commit()
        log = StoreSettings(log=LogSettings(write_s=0.1), quotas=Quotas(user=quota or Quota()))
        with (
            _scanned(made.topology, engines=engines) as topology,
            open_store(topology, spool=folder / "czar", settings=log) as store,
        ):
            authority = Authority(store.pools, settings, store.rights_version)
            with _served(_service(made, store, authority, limits)) as url:
                yield Guarded(made, store, url, tokens, authority)


@contextmanager
def _scanned(topology: Topology, *, engines: bool) -> Iterator[Topology]:
    """The topology, where asked for with a scan engine beside each shard."""
    running = []
    places = []
    for shard in topology.shards if engines else ():
        assert shard.twins is not None
        engine = EngineSettings(shard.shard_id, shard.twins, 256 * 2**20, 2)
        running.append(ScanServer(engine, token=TOKEN))
        threading.Thread(target=running[-1].serve, daemon=True).start()
        places.append(dataclasses.replace(shard, scan=running[-1].address))
    try:
        yield Topology(topology.coordinator, tuple(places), TOKEN) if engines else topology
    finally:
        for server in running:
            server.shutdown()


def _folder(folder: Path, name: str) -> Path:
    found = folder / name
    found.mkdir()
    return found


def _fill(made: Lab, note: str = "nothing special") -> None:
    sky = objects(60)
    found = sources_of(sky, 2)
    notes = {
        "noteId": list(range(found.num_rows)),
        "sourceId": found["sourceId"],
        "text": [f"{note} {number}" for number in range(found.num_rows)],
    }
    made.ingest(
        Object=sky,
        Source=found,
        Note=notes,
        Filter={"filterId": pa.array([1], pa.int16()), "name": [note]},
    )


def _people(connection: Any) -> dict[str, str]:
    """Users and a token each; what shall be closed is revoked from everybody."""
    kept = hash_password(PASSWORD)
    add_group(connection, "survey")
    for name, scopes in (
        ("alice", USER_SCOPES),
        ("bob", USER_SCOPES),
        ("gone", USER_SCOPES),
        ("loader", (Scope.INGEST,)),
        ("root", (Scope.ADMIN,)),
    ):
        add_user(connection, name, scopes=scopes, password=kept)
    join_group(connection, "survey", "alice")
    revoke(connection, "vault", "public")
    revoke(connection, "mixed.Note", "public")
    grant(connection, "vault", "survey")
    tokens = {}
    for name, scope in (
        ("alice", Scope.READ_TAP),
        ("bob", Scope.READ_TAP),
        ("gone", Scope.READ_TAP),
        ("loader", Scope.INGEST),
        ("root", Scope.ADMIN),
    ):
        tokens[name] = create_token(connection, name, scopes=[scope], days=1)[1]
    tokens["expired"] = create_token(connection, "alice", scopes=[Scope.READ_TAP], days=-1)[1]
    number, tokens["revoked"] = create_token(connection, "alice", scopes=[Scope.READ_TAP], days=1)
    revoke_token(connection, number)
    remove_principal(connection, "user", "gone")
    return tokens


def _service(made: Lab, store: Store, authority: Authority, limits: Limits) -> Service:
    uploads = UploadFiles(made.folder / "uploads")
    return Service(
        answer=lambda query, limits, caller: answer_tap(
            query, store, uploads, limits=limits, caller=caller
        ),
        catalogs=store.catalogs,
        check=store.check,
        limits=limits,
        authority=authority,
        queries=QueryAccess(store.pools, store.watch.cancel),
        quota_of=store.quota,
        uploads=uploads,
        ingests=IngestAccess(Site(made.pools, made.topology, made.folder / "spool")),
    )


@contextmanager
def _served(service: Service) -> Iterator[str]:
    """The service on a port of its own."""
    running = make_server(service, host="127.0.0.1", port=0)
    thread = threading.Thread(target=running.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not running.started and time.monotonic() < deadline:
        time.sleep(0.01)
    port = running.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        running.should_exit = True
        thread.join(20)
