"""What can go wrong with a transfer, one type for each thing that a caller would do differently."""

from __future__ import annotations


class TransferError(RuntimeError):
    """A transfer that did not happen; the pages of each of its chunks are whole or as they were."""


class Incompatible(TransferError):
    """Two sides that cannot exchange a group, with a sentence for each difference."""

    def __init__(self, *differences: str) -> None:
        self.differences = differences
        super().__init__("kvforge.transfer: " + "; ".join(differences))


class PeerLost(TransferError):
    """A peer that died, stopped, left or broke its connection. All transfers with it fail so."""

    def __init__(self, name: str, how: str) -> None:
        self.name, self.how = name, how
        super().__init__(f"kvforge.transfer: peer {name} is lost: {how}")


class DeadlineExceeded(TransferError):
    """A transfer, an offer or a hello that took longer than it was allowed to."""

    def __init__(self, what: str, seconds: float) -> None:
        self.what, self.seconds = what, seconds
        super().__init__(f"kvforge.transfer: {what} was not complete after {seconds:g} s")


class BadMessage(TransferError):
    """A message with a field that cannot be, or bytes that are not those that it speaks of."""

    def __init__(self, field: str, got: object, want: object) -> None:
        self.field, self.got, self.want = field, got, want
        super().__init__(f"kvforge.transfer: {field}: got {got}, want {want}")


class PeerRefused(TransferError):
    """What the other side says of a transfer that failed there."""

    def __init__(self, name: str, reason: str) -> None:
        self.name, self.reason = name, reason
        super().__init__(f"kvforge.transfer: peer {name}: {reason}")


class Aborted(TransferError):
    """A transfer that its own side gave up."""
