"""The checked configuration of one cluster. `load` is the only door."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from qserv.jobs.settings import JobSettings
from qserv.limits import ANONYMOUS, Limits
from qserv.rights.caller import Caller
from schema.errors import ConfigError
from workers.config import sources
from workers.config.access import Access, read_access
from workers.config.keys import KEYS, SECRETS
from workers.config.sources import Given, Values
from workers.local.state import read_state

MAX_SHARDS = 256
_DOTTED = {
    "coordinator_dsn": "coordinator.dsn",
    "ingest_token_sha256": "ingest.token_sha256",
    "ingest_folders": "ingest.folders",
    "ingest_urls": "ingest.urls",
    "upload_urls": "uploads.urls",
    "ingest_private_addresses": "ingest.private_addresses",
    "ingest_max_download_bytes": "ingest.max_download_bytes",
}
"""Fields whose keys are named otherwise."""


class BadSetting(ConfigError):
    """A configuration value is wrong; the message names its key, its source and what it must be."""

    code = "CONFIG_VALUE"

    def __init__(self, key: str, origin: str, fault: str) -> None:
        super().__init__(f"{key} ({origin}): {fault}")
        self.key, self.origin = key, origin


class ServerSettings(BaseModel):
    """One shard that the operator runs: PostgreSQL by DSN, perhaps a scan engine beside it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    dsn: str = Field(min_length=1, repr=False)
    scan: str | None = Field(default=None, pattern=r"^grpc(\+tls)?://[^/]+:\d+$")
    twins: Path | None = None
    weight: float = Field(default=1.0, gt=0, le=1000)


class Settings(BaseModel):
    """What the commands need to know; paths are absolute.

    `servers` is empty for an embedded cluster. `origins` says where each key's value came from.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    home: Path
    data: Path | None = None
    shards: int = Field(default=4, ge=1, le=MAX_SHARDS)
    servers: tuple[ServerSettings, ...] = ()
    coordinator_dsn: str | None = Field(default=None, repr=False)
    host: str = Field(default="127.0.0.1", min_length=1)
    port: int = Field(default=8080, ge=1, le=65535)
    pg_bin: Path | None = None
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    scan_token: str = Field(default="", repr=False)
    ingest_degraded: Literal["wait", "allow", "refuse"] = "wait"
    ingest_wait_s: float = Field(default=60.0, ge=0)
    repair_enabled: bool = True
    repair_interval_s: float = Field(default=30.0, gt=0)
    repair_bytes_per_s: int = Field(default=50_000_000, gt=0)
    ingest_token_sha256: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$", repr=False)
    ingest_folders: tuple[Path, ...] = ()
    ingest_urls: tuple[str, ...] = ()
    ingest_private_addresses: bool = False
    upload_urls: tuple[str, ...] = ()
    ingest_max_download_bytes: int = Field(default=64 * 2**30, gt=0)
    jobs_folder: Path | None = None
    jobs: JobSettings = JobSettings()
    limits: Limits = Limits()
    anonymous: Limits = ANONYMOUS
    access: Access = Access()
    origins: dict[str, str] = Field(default_factory=dict, repr=False)

    @property
    def is_embedded(self) -> bool:
        """Whether `up` runs the PostgreSQL servers itself."""
        return not self.servers

    @property
    def spool(self) -> Path:
        """Folder of intermediate files of ingests and queries."""
        return self.home / "spool"

    @property
    def job_results(self) -> Path:
        """Folder of the results of asynchronous queries."""
        return self.jobs_folder or self.home / "jobs"

    def limits_of(self, caller: Caller) -> Limits:
        """The bounds of a caller's queries."""
        return self.anonymous if caller.is_anonymous else self.limits

    @property
    def logs(self) -> Path:
        """Folder of the processes' logs."""
        return self.home / "logs"

    def value(self, key: str) -> object:
        """The value of a dotted configuration key; passwords of DSNs are not hidden here."""
        match key.split("."):
            case ["limits", "anonymous", name]:
                return getattr(self.anonymous, name)
            case ["limits", name]:
                return getattr(self.limits, name)
            case ["access" | "quotas" | "log", *_]:
                return self.access.value(key)
            case ["jobs", "folder"]:
                return self.job_results
            case ["jobs", name]:
                return getattr(self.jobs, name)
            case ["uploads", "urls"]:
                return self.upload_urls
            case ["coordinator" | "ingest" | "repair", _]:
                return getattr(self, key.replace(".", "_"))
            case ["shards"] if self.servers:
                return len(self.servers)
            case _:
                return getattr(self, key)


def load(
    home: Path | None = None,
    flags: Mapping[str, object] | None = None,
    environ: Mapping[str, str] | None = None,
) -> Settings:
    """Read the configuration of the cluster at `home`.

    Parameters
    ----------
    home
        The value of `--home`, if given.
    flags
        Values of other command line flags by configuration key; None counts as not given.
    environ
        The environment; default: the process's.

    Raises
    ------
    ConfigError
        Naming the key, where it was given, and what it must be.
    """
    environ = os.environ if environ is None else environ
    folder = sources.home_folder(home, environ)
    assert isinstance(folder.value, Path)
    file = sources.config_file(folder.value, environ)
    values = {
        **_remembered(folder.value),
        **sources.from_file(file, is_required="SKYSHARD_CONFIG" in environ),
        **sources.from_environment(environ),
        **sources.from_flags(flags or {}),
        "home": folder,
    }
    return _checked(values)


def _remembered(home: Path) -> Values:
    """What an earlier `up` chose: a later command without flags means the same cluster."""
    state = read_state(home)
    if state is None:
        return {}
    origin = f"remembered in {home / 'cluster.json'}"
    chosen: dict[str, object] = {"port": state.port, "host": state.host}
    if state.shards:
        chosen["shards"] = state.shards
    return {key: Given(value, origin, home) for key, value in chosen.items()}


def _checked(values: Values) -> Settings:
    """Build the model; turn pydantic's complaints into ours."""
    document: dict[str, object] = {
        "origins": {
            key.path: values[key.path].origin if key.path in values else "default" for key in KEYS
        }
    }
    for key, given in values.items():
        match key.split("."):
            case ["limits" | "jobs" | "access" | "quotas" | "log", *_]:
                continue
            case ["shards"] if isinstance(given.value, list):
                document["servers"] = _servers(given)
            case ["ingest", "folders"]:
                document["ingest_folders"] = _folders(given)
            case ["ingest", "urls"]:
                document["ingest_urls"] = _addresses(key, given)
            case ["uploads", "urls"]:
                document["upload_urls"] = _addresses(key, given)
            case ["coordinator" | "ingest" | "repair", _]:
                document[key.replace(".", "_")] = given.value
            case ["data" | "pg_bin"]:
                document[key] = given.folder / Path(str(given.value)).expanduser()
            case _:
                document[key] = given.value
    document["limits"] = _limits("limits.", Limits(), values)
    document["jobs"] = _jobs(values)
    if "jobs.folder" in values:
        given = values["jobs.folder"]
        document["jobs_folder"] = given.folder / Path(str(given.value)).expanduser()
    document["access"] = read_access(values)
    document["anonymous"] = _limits("limits.anonymous.", ANONYMOUS, values)
    try:
        settings = Settings.model_validate(document)
    except ValidationError as error:
        raise _fault(error, values) from error
    _check_servers(settings)
    return settings


def _servers(given: Given) -> list[dict[str, object]]:
    """The [[shards]] tables, with paths made absolute."""
    assert isinstance(given.value, list)
    tables = []
    for number, table in enumerate(given.value, 1):
        place = f"[[shards]] number {number} ({given.origin})"
        if not isinstance(table, dict):
            raise BadSetting("shards", given.origin, "must be a number or an array of tables")
        sources.check_shard_keys(table, place)
        twins = table.get("twins")
        tables.append(
            {**table, "twins": given.folder / Path(str(twins)).expanduser() if twins else None}
        )
    if not tables:
        raise BadSetting("shards", given.origin, "must name at least one shard")
    return tables


def _folders(given: Given) -> list[Path]:
    """An array of folders, or the environment's form of one (a:b), made absolute."""
    named = given.value.split(os.pathsep) if isinstance(given.value, str) else given.value
    if not isinstance(named, list) or not all(isinstance(one, str) and one for one in named):
        raise BadSetting("ingest.folders", given.origin, "must be an array of folders")
    return [given.folder / Path(one).expanduser() for one in named]


def _addresses(key: str, given: Given) -> list[str]:
    """An array of addresses, or the environment's form of one (parted by blanks)."""
    named = given.value.split() if isinstance(given.value, str) else given.value
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise BadSetting(key, given.origin, "must be an array of addresses")
    for one in named:
        if not one.startswith(("http://", "https://")):
            raise BadSetting(key, given.origin, f"{one!r} begins with no https://")
    return named


def _limits(prefix: str, base: Limits, values: Values) -> Limits:
    """`base` with what was given of its keys."""
    from pydantic import TypeAdapter

    document = asdict(base)
    for name in document:
        if prefix + name in values:
            document[name] = _unbounded(values[prefix + name].value)
    try:
        checked = TypeAdapter(Limits).validate_python(document)
    except ValidationError as error:
        key = prefix + str(error.errors()[0]["loc"][0])
        raise BadSetting(key, values[key].origin, _words(error)) from error
    for name, value in asdict(checked).items():
        if value is not None and value <= 0:
            given = values[prefix + name]
            raise BadSetting(prefix + name, given.origin, 'must be above 0, or "none"')
    return checked


def _jobs(values: Values) -> JobSettings:
    """What was given of `[jobs]`; every number is above 0."""
    from pydantic import TypeAdapter

    document = asdict(JobSettings())
    given = {name: values[f"jobs.{name}"] for name in document if f"jobs.{name}" in values}
    document |= {name: one.value for name, one in given.items()}
    try:
        checked = TypeAdapter(JobSettings).validate_python(document)
    except ValidationError as error:
        name = str(error.errors()[0]["loc"][0])
        raise BadSetting(f"jobs.{name}", given[name].origin, _words(error)) from error
    for name, one in given.items():
        if getattr(checked, name) <= 0:
            raise BadSetting(f"jobs.{name}", one.origin, "must be above 0")
    return checked


def _unbounded(value: object) -> object:
    return None if value == "none" else value


def _fault(error: ValidationError, values: Values) -> BadSetting:
    """The first complaint, naming the key as the user wrote it."""
    loc = error.errors()[0]["loc"]
    if loc[0] == "servers":
        number, name = int(loc[1]) + 1, loc[2] if len(loc) > 2 else "?"
        return BadSetting(
            f"[[shards]] number {number}, {name}", values["shards"].origin, _words(error)
        )
    key = next((k.path for k in KEYS if k.path.replace(".", "_") == loc[0]), str(loc[0]))
    return BadSetting(key, values[key].origin, _words(error, is_secret=key in SECRETS))


def _words(error: ValidationError, *, is_secret: bool = False) -> str:
    first = error.errors()[0]
    told = first["msg"][0].lower() + first["msg"][1:]
    secret = is_secret or "dsn" in first["loc"]
    return told if secret else f"{told}, got {first['input']!r}"


def _check_servers(settings: Settings) -> None:
    """Servers of one's own come all or none."""
    if settings.servers and settings.coordinator_dsn is None:
        raise BadSetting(
            "coordinator.dsn",
            "not given",
            'shards given by DSN need a coordinator: add [coordinator] dsn = "postgresql://..."',
        )
    if settings.coordinator_dsn is not None and not settings.servers:
        raise BadSetting(
            "coordinator.dsn",
            settings.origins["coordinator.dsn"],
            "a coordinator given by DSN needs its shards: add [[shards]] with a dsn each",
        )
