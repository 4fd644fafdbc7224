"""What vLLM's log and its Prometheus metrics are told of the connector's transfers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from vllm.distributed.kv_transfer.kv_connector.v1.metrics import (
    KVConnectorPromMetrics,
    KVConnectorStats,
)

from kvforge import transfer

_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0)
_BYTES = tuple(2.0**power for power in range(12, 37, 2))  # 4 KiB to 64 GiB
_COUNTS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 500.0, 1000.0, 5000.0, 10000.0)


@dataclass(frozen=True)
class _Series:
    """A number of each request that this rank has sent, or received."""

    field: str  # of transfer.Stats
    name: str  # of the metric
    buckets: tuple[float, ...]
    says: str


# By the key in data. Tokens of a request go in one transfer for each group of layers, whose sum counts.
SENT = {
    "sent_bytes": _Series("bytes", "sent_bytes", _BYTES, "Bytes that a rank has sent of a request"),
    "sent_chunks": _Series(
        "chunks", "sent_chunks", _COUNTS, "Chunks in which a rank has sent a request"
    ),
    "descriptors": _Series(
        "descriptors", "num_descriptors", _COUNTS, "Writes that a rank has posted for a request"
    ),
    "pack": _Series(
        "pack",
        "pack_time_seconds",
        _SECONDS,
        "Time in which a request's pages were gathered and summed",
    ),
    "post": _Series(
        "post", "post_time_seconds", _SECONDS, "Time in calls that begin a request's writes"
    ),
    "wire": _Series(
        "wire", "wire_time_seconds", _SECONDS, "Sum of the times of a request's writes"
    ),
}
RECEIVED = {
    "received_bytes": _Series(
        "bytes", "received_bytes", _BYTES, "Bytes that a rank has received of a request"
    ),
    "received_chunks": _Series(
        "chunks", "received_chunks", _COUNTS, "Chunks in which a rank has received a request"
    ),
    "check": _Series(
        "check", "check_time_seconds", _SECONDS, "Time in which a request's bytes were checked"
    ),
    "unpack": _Series(
        "unpack",
        "unpack_time_seconds",
        _SECONDS,
        "Time in which a request's bytes were scattered to pages",
    ),
}
COUNTERS = {
    "failed_sends": (
        "num_failed_sends",
        "Requests whose pages could not be sent, or were given up",
    ),
    "expired_sends": ("num_kv_expired_reqs", "Requests whose pages no reader has taken in time"),
    "failed_receives": ("num_failed_receives", "Requests whose tokens did not come"),
}
_QUARANTINED = "quarantined_slots"


@dataclass
class TransferStats(KVConnectorStats):
    """Of the requests that have ended in an interval, of one rank or of several. `data` is lists with a
    number of each request, counts, and by rank the slots that are in quarantine, where that has changed."""

    def __post_init__(self) -> None:
        if not self.data:
            self.reset()

    def reset(self) -> None:
        self.data = {
            **{key: [] for key in [*SENT, *RECEIVED]},
            **dict.fromkeys(COUNTERS, 0),
            _QUARANTINED: {},
        }

    def is_empty(self) -> bool:
        return not any(self.data.values())

    def aggregate(self, other: KVConnectorStats) -> KVConnectorStats:
        for key, value in other.data.items():
            if isinstance(value, list):
                self.data[key].extend(value)
            elif isinstance(value, dict):
                self.data[key].update(value)
            else:
                self.data[key] += value
        return self

    def sent(self, transfers: Sequence[transfer.Transfer]) -> None:
        """A request whose transfers have ended. One that nobody needed has no bytes, and no failure."""
        errors = [error for each in transfers if (error := each.exception())]
        if not errors:
            self._add(SENT, transfers)
        elif all(isinstance(error, transfer.DeadlineExceeded) for error in errors):
            self.data["expired_sends"] += 1
        else:
            self.data["failed_sends"] += 1

    def received(self, transfers: Sequence[transfer.Transfer]) -> None:
        """A request whose tokens have come."""
        self._add(RECEIVED, transfers)

    def not_received(self) -> None:
        """A request whose tokens have not."""
        self.data["failed_receives"] += 1

    def quarantined(self, rank: int, slots: int) -> None:
        """How many slots of a rank are now in quarantine."""
        self.data[_QUARANTINED][str(rank)] = slots

    def _add(self, series: dict[str, _Series], transfers: Sequence[transfer.Transfer]) -> None:
        if any(each.stats.bytes for each in transfers):
            for key, one in series.items():
                self.data[key].append(sum(getattr(each.stats, one.field) for each in transfers))

    def reduce(self) -> dict[str, int | float]:
        """For the log, of an interval."""
        data = self.data

        def mean(key: str, unit: float = 1.0) -> float:
            return round(sum(data[key]) / len(data[key]) / unit, 3) if data[key] else 0

        return {
            "Num sent": len(data["sent_bytes"]),
            "Avg MB sent": mean("sent_bytes", 2**20),
            "Avg number of descriptors": mean("descriptors"),
            "Avg pack time (ms)": mean("pack", 1e-3),
            "Avg post time (ms)": mean("post", 1e-3),
            "Avg wire time (ms)": mean("wire", 1e-3),
            "Num received": len(data["received_bytes"]),
            "Avg MB received": mean("received_bytes", 2**20),
            "Avg check time (ms)": mean("check", 1e-3),
            "Avg unpack time (ms)": mean("unpack", 1e-3),
            "Num failed transfers": data["failed_sends"] + data["failed_receives"],
            "Num KV expired reqs": data["expired_sends"],
            "Num quarantined slots": sum(data[_QUARANTINED].values()),
        }


class Metrics(KVConnectorPromMetrics):
    """The same for Prometheus: histograms over requests and ranks, counters, and a gauge, of each engine."""

    def __init__(
        self,
        vllm_config: Any,
        metric_types: dict[Any, Any],
        labelnames: list[str],
        per_engine_labelvalues: dict[int, list[object]],
    ) -> None:
        super().__init__(vllm_config, metric_types, labelnames, per_engine_labelvalues)

        def made(kind: Any, name: str, says: str, **options: Any) -> dict[int, Any]:
            metric = kind(
                name=f"vllm:kvforge_{name}", documentation=says, labelnames=labelnames, **options
            )
            return {
                engine: metric.labels(*values) for engine, values in per_engine_labelvalues.items()
            }

        self._histograms = {
            key: made(self._histogram_cls, one.name, one.says, buckets=one.buckets)
            for key, one in {**SENT, **RECEIVED}.items()
        }
        self._counters = {
            key: made(self._counter_cls, name, says) for key, (name, says) in COUNTERS.items()
        }
        says = "Slots of staging memory that a late write may still hit"
        self._gauge = made(self._gauge_cls, _QUARANTINED, says, multiprocess_mode="mostrecent")
        self._slots: dict[int, dict[str, int]] = {engine: {} for engine in per_engine_labelvalues}

    def observe(self, transfer_stats_data: dict[str, Any], engine_idx: int = 0) -> None:
        for key, histograms in self._histograms.items():
            for number in transfer_stats_data[key]:
                histograms[engine_idx].observe(number)
        for key, counters in self._counters.items():
            counters[engine_idx].inc(transfer_stats_data[key])
        slots = self._slots[engine_idx]
        slots.update(transfer_stats_data[_QUARANTINED])
        self._gauge[engine_idx].set(sum(slots.values()))
