"""The keys `access.*`, `quotas.*` and `log.*`: who gets in, how much she may use, what is remembered."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields

from qserv.rights.credentials import AccessSettings
from qserv.rights.quotas import Quotas
from schema.errors import ConfigError
from schema.rights import Quota
from workers.config.sources import Given, Values

USER_QUOTA = Quota(max_running=16, max_queued=64)
ACCESS = ("anonymous", "proxies", "user_header", "groups_header")
QUOTA = tuple(field.name for field in fields(Quota))


class BadAccess(ConfigError):
    """A key of access, quotas or the log has a wrong value; says which, from where, and what fits."""

    code = "CONFIG_VALUE"

    def __init__(self, key: str, given: Given, fault: str) -> None:
        super().__init__(f"{key} ({given.origin}): {fault}")


@dataclass(frozen=True, slots=True)
class Access:
    """Everything about callers that is configured."""

    settings: AccessSettings = AccessSettings()  # noqa: RUF009  (frozen)
    quotas: Quotas = Quotas(user=USER_QUOTA)  # noqa: RUF009  (frozen)
    queue_s: float = 30.0
    keep_days: float = 90.0

    def value(self, key: str) -> object:
        """The value of a dotted key."""
        match key.split("."):
            case ["access", name]:
                return getattr(self.settings, name)
            case ["quotas", "queue_s"]:
                return self.queue_s
            case ["quotas", "anonymous", name]:
                return getattr(self.quotas.anonymous, name)
            case ["quotas", name]:
                return getattr(self.quotas.user, name)
            case _:
                return self.keep_days


def read_access(values: Values) -> Access:
    """What was given of these keys, over the defaults. Raises BadAccess."""
    usual = Access()
    given = {name: values[f"access.{name}"] for name in ACCESS if f"access.{name}" in values}
    made = asdict(usual.settings) | {"proxy_scopes": usual.settings.proxy_scopes}
    for name, one in given.items():
        made[name] = _ACCESS[name](f"access.{name}", one)
    quotas = Quotas(
        user=_quota("quotas.", usual.quotas.user, values),
        anonymous=_quota("quotas.anonymous.", usual.quotas.anonymous, values),
    )
    queue_s = _seconds("quotas.queue_s", values, usual.queue_s)
    return Access(
        AccessSettings(**made), quotas, queue_s, _seconds("log.keep_days", values, usual.keep_days)
    )


def _anonymous(key: str, given: Given) -> bool:
    words: Mapping[object, bool] = {True: True, False: False, "read": True, "none": False}
    folded = given.value.lower() if isinstance(given.value, str) else given.value
    if folded not in words:
        raise BadAccess(key, given, 'must be "read" or "none"')
    return words[folded]


def _networks(key: str, given: Given) -> tuple[str, ...]:
    named = given.value.split() if isinstance(given.value, str) else given.value
    if not isinstance(named, list) or not all(isinstance(one, str) for one in named):
        raise BadAccess(key, given, "must be an array of addresses or networks")
    for one in named:
        try:
            ipaddress.ip_network(one, strict=False)
        except ValueError as error:
            raise BadAccess(key, given, f"{one!r} is no address and no network") from error
    return tuple(named)


def _header(key: str, given: Given) -> str:
    if not isinstance(given.value, str) or not given.value.replace("-", "").isalnum():
        raise BadAccess(key, given, "must be the name of a header")
    return given.value.lower()


_ACCESS = {
    "anonymous": _anonymous,
    "proxies": _networks,
    "user_header": _header,
    "groups_header": _header,
}


def _quota(prefix: str, usual: Quota, values: Values) -> Quota:
    found = {name: values[prefix + name] for name in QUOTA if prefix + name in values}
    return usual.with_own({name: _bound(prefix + name, given) for name, given in found.items()})


def _bound(key: str, given: Given) -> int | None:
    value = given.value
    if value == "none":
        return None
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise BadAccess(key, given, 'must be a whole number, or "none"')
    return value


def _seconds(key: str, values: Values, usual: float) -> float:
    if key not in values:
        return usual
    try:
        found = float(str(values[key].value))
    except ValueError as error:
        raise BadAccess(key, values[key], "must be a number") from error
    if not 0 < found < 1e9:
        raise BadAccess(key, values[key], "must be above 0")
    return found
