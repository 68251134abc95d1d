"""Configuration of one cluster: `load` gives `Settings`, `topology` says where its servers are.

Read in this order: keys (every key and where it may be given), sources (file, environment, flags,
memory of the cluster), settings (the checked model), servers (settings -> topology).
"""

from __future__ import annotations

from workers.config.servers import topology
from workers.config.settings import ServerSettings, Settings, load

__all__ = ["ServerSettings", "Settings", "load", "topology"]
