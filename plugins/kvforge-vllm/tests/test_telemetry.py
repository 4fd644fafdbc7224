"""What vLLM is told of transfers, by way of its own classes: over ranks, over time, and to Prometheus."""

from __future__ import annotations

from conftest import require

require(__name__)

import inspect
import json
import math
from collections import defaultdict
from typing import Any

import pytest
from test_connector import D_BLOCKS, P_BLOCKS, Engine, ask, engines, request, until
from vllm.distributed.kv_transfer.kv_connector.v1 import metrics
from vllm.distributed.kv_transfer.kv_connector.v1.metrics import (
    KVConnectorPromMetrics,
    KVConnectorStats,
)

from kvforge_vllm.connector import KvforgeConnector
from kvforge_vllm.telemetry import RECEIVED, SENT, Metrics, TransferStats

__all__ = ["engines"]


def stats_of(engine: Engine) -> Any:
    """On their way from the worker to the process that logs, as JSON has them."""
    found = engine.worker.get_kv_connector_stats()
    assert found is None or not found.is_empty()
    return found and json.loads(json.dumps(found.to_dict()))


def handed_over(prefill: Engine, decode: Engine) -> None:
    ask(decode, prefill.finish([P_BLOCKS]), [D_BLOCKS], 0)
    until(lambda: bool(decode.received and prefill.sent), prefill, decode)


def test_a_request_that_goes_over(engines: Any) -> None:
    prefill, decode = engines(4), engines(16)
    assert stats_of(prefill) is None and stats_of(decode) is None
    assert prefill.scheduler.get_kv_connector_stats() is None
    handed_over(prefill, decode)
    sent, received = stats_of(prefill), stats_of(decode)
    assert stats_of(prefill) is None and stats_of(decode) is None
    # 64 tokens, as wire blocks have so many, of 2 layers of 2 heads of a key and a value of 16 floats
    [count] = sent["sent_bytes"]
    assert count == 64 * 2 * 2 * 2 * 16 * 4
    assert received["received_bytes"] == [count]
    assert sent["sent_chunks"] == sent["descriptors"] == received["received_chunks"] == [1]
    for data, mine in ((sent, SENT), (received, RECEIVED)):
        for key in [*SENT, *RECEIVED]:
            assert len(data[key]) == (key in mine), key
            assert all(number > 0 for number in data[key]), key
        assert not any(data[key] for key in ("failed_sends", "failed_receives", "expired_sends"))


def test_what_fails_is_counted(engines: Any) -> None:
    """Pages that nobody takes, and tokens that do not come; what is aborted is no failure, and what nobody
    needs no transfer."""
    prefill, decode = engines(4, lease=0.3), engines(16, lease=0.3)
    params = prefill.finish([P_BLOCKS])
    until(lambda: bool(prefill.sent), prefill)
    data = stats_of(prefill)
    assert data["expired_sends"] == 1 and not data["failed_sends"] and not data["sent_bytes"]
    ask(decode, dict(params), [D_BLOCKS], 0)
    until(lambda: bool(decode.received), decode)
    data = stats_of(decode)
    assert data["failed_receives"] == 1 and not data["received_bytes"]
    decode.received.clear()
    late = ask(decode, dict(params), [D_BLOCKS], 0)
    decode.step()
    late.status.name = "FINISHED_ABORTED"
    decode.scheduler.request_finished_all_groups(late, (D_BLOCKS,))
    until(lambda: bool(decode.received), decode)
    data = stats_of(decode)  # of slots in quarantine, if they still are
    assert data is None or not data["failed_receives"]
    prefill.sent.clear()
    prefill.finish([P_BLOCKS], "reset")
    prefill.scheduler.reset_cache()
    until(lambda: bool(prefill.sent), prefill)
    assert stats_of(prefill)["failed_sends"] == 1
    prefill.sent.clear()
    unread = request("e", prefill.finish([P_BLOCKS], "unread"))
    decode.scheduler.request_finished_all_groups(unread, ([],))
    until(lambda: bool(prefill.sent), prefill, decode)
    assert stats_of(prefill) is None


def test_slots_in_quarantine(engines: Any) -> None:
    """Each change is told, and 0 in the end."""
    engine = engines(4)
    counts, kept = engine.worker._carrier._endpoint.counts, [0]
    looks = 0

    def counted() -> Any:
        nonlocal looks
        looks += 1
        return {**counts(), "incoming": {"quarantined": kept[0]}}

    engine.worker._carrier._endpoint.counts = counted
    engine.step()
    assert stats_of(engine) is None and not looks  # a step asks the endpoint's thread for nothing
    kept[0] = 3
    engine.finish([P_BLOCKS])
    engine.scheduler.reset_cache()
    until(lambda: bool(engine.sent), engine)
    assert stats_of(engine)["quarantined_slots"] == {"0": 3}
    assert stats_of(engine) is None
    kept[0] = 0
    assert stats_of(engine)["quarantined_slots"] == {"0": 0}
    looks = 0
    assert stats_of(engine) is None and not looks


def numbers(rank: int, *, sent: int = 0, failed: int = 0) -> Any:
    """Of a rank: so many requests, whose n-th has n times 1 MiB and 10 ms of everything."""
    found = TransferStats()
    for key, one in SENT.items():
        unit = 0.01 if one.field in ("pack", "post", "wire") else 2**20
        found.data[key] += [unit * number for number in range(1, sent + 1)]
    found.data["failed_receives"] += failed
    if failed:
        found.quarantined(rank, failed)
    return found


def test_over_ranks_and_over_time() -> None:
    """As vLLM adds them up: lists and counts grow, and of a rank's slots the latest number is so."""
    whole = numbers(0, sent=1, failed=2)
    other = numbers(1, sent=3, failed=1)
    assert whole.aggregate(other) is whole
    later = KvforgeConnector.build_kv_connector_stats(numbers(0, failed=5).to_dict())
    assert isinstance(later, KVConnectorStats)
    whole.aggregate(later).aggregate(TransferStats())
    said = whole.reduce()
    assert said["Num sent"] == 4 and said["Num received"] == 0
    assert said["Avg MB sent"] == 7 / 4 and said["Avg pack time (ms)"] == 17.5
    assert said["Avg MB received"] == said["Avg unpack time (ms)"] == 0
    assert said["Num failed transfers"] == 8 and said["Num quarantined slots"] == 6
    whole.reset()
    assert whole.is_empty() and other.data["sent_bytes"]
    built = KvforgeConnector.build_kv_connector_stats()
    assert isinstance(built, TransferStats) and built.is_empty()
    assert not KvforgeConnector.build_kv_connector_stats(
        {**built.data, "failed_sends": 1}
    ).is_empty()


class Metric:
    """As prometheus_client's, of one name."""

    made: dict[str, Metric] = {}  # noqa: RUF012

    def __init__(
        self, name: str, documentation: str, labelnames: list[str], **options: Any
    ) -> None:
        assert documentation and labelnames == ["model", "engine"]
        self.name, self.options = name, options
        self.seen: dict[Any, list[float]] = defaultdict(list)
        assert Metric.made.setdefault(name, self) is self

    def labels(self, *values: Any) -> Any:
        child = type(self).__new__(type(self))
        child.mine = self.seen[values]
        return child


class Histogram(Metric):
    def observe(self, number: float) -> None:
        self.mine.append(number)


class Counter(Metric):
    def inc(self, number: float = 1) -> None:
        self.mine[:] = [sum(self.mine) + number]


class Gauge(Metric):
    def set(self, number: float) -> None:
        self.mine[:] = [number]


def test_to_prometheus() -> None:
    """Two engines; names as vLLM has them, each once."""
    Metric.made.clear()
    config = type("Config", (), {"kv_transfer_config": None})
    types = {metrics.Gauge: Gauge, metrics.Counter: Counter, metrics.Histogram: Histogram}
    labels = {0: ["m", "0"], 1: ["m", "1"]}
    found = KvforgeConnector.build_prom_metrics(config, types, ["model", "engine"], labels)
    assert isinstance(found, KVConnectorPromMetrics)
    found.observe(numbers(0, sent=2, failed=1).to_dict(), 1)
    found.observe(numbers(1, sent=1, failed=4).to_dict(), 1)
    found.observe(numbers(0).to_dict())
    made = Metric.made
    assert len(made) == len(SENT) + len(RECEIVED) + 4
    assert all(name.startswith("vllm:kvforge_") for name in made)
    assert made["vllm:kvforge_sent_bytes"].seen["m", "1"] == [2**20, 2**21, 2**20]
    assert made["vllm:kvforge_pack_time_seconds"].seen["m", "1"] == [0.01, 0.02, 0.01]
    assert not made["vllm:kvforge_sent_bytes"].seen["m", "0"]
    assert made["vllm:kvforge_num_failed_receives"].seen["m", "1"] == [5]
    assert made["vllm:kvforge_quarantined_slots"].seen["m", "1"] == [5]
    assert made["vllm:kvforge_quarantined_slots"].options == {"multiprocess_mode": "mostrecent"}
    for metric in made.values():
        buckets = metric.options.get("buckets", [1])
        assert list(buckets) == sorted(set(buckets)) and not any(map(math.isinf, buckets))


@pytest.mark.parametrize(
    ("ours", "theirs"), [(TransferStats, KVConnectorStats), (Metrics, KVConnectorPromMetrics)]
)
def test_signatures(ours: Any, theirs: Any) -> None:
    """Of what vLLM calls."""
    for name, base in vars(theirs).items():
        if inspect.isfunction(base) and (
            not name.startswith("_") or theirs is not KVConnectorStats
        ):
            mine = inspect.signature(getattr(ours, name))
            assert [*mine.parameters] == [*inspect.signature(base).parameters], name
