"""Where tokens came from that were not computed."""

from enum import Enum


class CacheHitSource(str, Enum):
    """Those that a connector names, or does not."""

    P2P = "p2p"
    EXTERNAL_UNSPECIFIED = "external_unspecified"
