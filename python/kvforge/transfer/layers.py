"""The layers of an offer whose pages are written one layer after the other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kvforge.transfer.staging import Staging


class Layers:
    """Which of them are there. Of the endpoint's thread."""

    def __init__(self, names: Sequence[str], staging: Staging) -> None:
        self._staging = staging
        self._marks: dict[str, Any] = {}
        self.missing = dict.fromkeys(names)

    def come(self, name: str, mark: Any) -> None:
        """One of them is there once the mark is passed. Who says so again says nothing new."""
        if name in self.missing and name not in self._marks:
            self._marks[name] = mark
        else:
            self._staging.forget(mark)

    def there(self, names: Sequence[str]) -> bool:
        """Whether all of these are.

        Marks are looked at here, and the ops' stream does not wait for them: what else goes on there
        would wait along, for as long as a model computes.
        """
        for name in names:
            if name in self.missing:
                if name not in self._marks or not self._staging.passed(self._marks[name]):
                    return False
                del self._marks[name], self.missing[name]
        return True

    def forget(self) -> None:
        """Of an offer that has ended."""
        for mark in self._marks.values():
            self._staging.forget(mark)
        self._marks.clear()
