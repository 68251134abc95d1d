"""One czar over a small sky, for validators and clients that others wrote."""

from tests.qserv.jobs.conftest import one, sky

__all__ = ["one", "sky"]
