"""Where values come from: defaults, the cluster's memory, the file, the environment, flags.

Later sources win. Each value keeps its origin in words, which errors and `config show` repeat.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from schema.errors import ConfigError
from workers.config.keys import FILE_NAME, KEYS, PATHS, SHARD_KEYS


class BadFile(ConfigError):
    """The configuration file cannot be read or names a key that does not exist."""

    code = "CONFIG_FILE"


@dataclass(frozen=True, slots=True)
class Given:
    """A value and where it was given; `folder` is what relative paths start from."""

    value: object
    origin: str
    folder: Path


Values = dict[str, Given]


def home_folder(flag: Path | None, environ: Mapping[str, str]) -> Given:
    """The cluster's home: `--home`, SKYSHARD_HOME, else the user's data folder."""
    if flag is not None:
        return Given(flag.expanduser().absolute(), "--home", Path.cwd())
    if environ.get("SKYSHARD_HOME"):
        given = Path(environ["SKYSHARD_HOME"]).expanduser().absolute()
        return Given(given, "environment SKYSHARD_HOME", Path.cwd())
    base = environ.get("XDG_DATA_HOME") or "~/.local/share"
    return Given(Path(base).expanduser().absolute() / "skyshard", "default", Path.cwd())


def config_file(home: Path, environ: Mapping[str, str]) -> Path:
    """The file to read: SKYSHARD_CONFIG, else skyshard.toml in the home."""
    given = environ.get("SKYSHARD_CONFIG")
    return Path(given).expanduser().absolute() if given else home / FILE_NAME


def from_file(path: Path, *, is_required: bool) -> Values:
    """The file's values by dotted key; empty where an optional file does not exist."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        if is_required:
            raise BadFile(f"{path} does not exist; SKYSHARD_CONFIG names it") from error
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadFile(f"{path} is not valid TOML: {error}") from error
    except OSError as error:
        raise BadFile(f"{path} cannot be read: {error.strerror}") from error
    values: Values = {}
    for key, value in _leaves(document, ""):
        _check_known(key, path)
        values[key] = Given(value, f"{path}", path.parent)
    return values


def from_environment(environ: Mapping[str, str]) -> Values:
    """The values of SKYSHARD_* variables; empty ones count as not given."""
    return {
        key.path: Given(environ[key.variable], f"environment {key.variable}", Path.cwd())
        for key in KEYS
        if environ.get(key.variable)
    }


def from_flags(flags: Mapping[str, object]) -> Values:
    """The values of command line flags; None counts as not given."""
    return {
        key: Given(value, f"--{key.replace('_', '-')}", Path.cwd())
        for key, value in flags.items()
        if value is not None
    }


def unknown_variables(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """SKYSHARD_* variables that set nothing: most likely misspelt."""
    known = {key.variable for key in KEYS} | {"SKYSHARD_CONFIG", "SKYSHARD_SHARED"}
    return tuple(sorted(n for n in environ if n.startswith("SKYSHARD_") and n not in known))


def _leaves(table: Mapping[str, object], prefix: str) -> Iterable[tuple[str, object]]:
    """Dotted keys and values of a TOML document; arrays of tables are values."""
    for name, value in table.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value


def _check_known(key: str, path: Path) -> None:
    if key not in PATHS:
        raise BadFile(f"{path} has an unknown key {key!r}{nearest(key, PATHS)}")
    if key == "home":
        raise BadFile(f"{path} cannot set `home`; give --home or SKYSHARD_HOME instead")


def nearest(name: str, known: Iterable[str]) -> str:
    """`; did you mean ...?`, or nothing where no known name is near."""
    matches = difflib.get_close_matches(name, sorted(known), n=1)
    return f"; did you mean {matches[0]!r}?" if matches else ""


def check_shard_keys(table: Mapping[str, object], place: str) -> None:
    """Refuse unknown keys of a [[shards]] table."""
    for key in table:
        if key not in SHARD_KEYS:
            raise BadFile(f"{place} has an unknown key {key!r}{nearest(key, SHARD_KEYS)}")
