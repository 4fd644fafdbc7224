"""The scheduler's part of the connector: which requests' tokens go to another engine or come from one."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from vllm.distributed.kv_transfer.kv_connector.v1.base import (
    KVConnectorHandshakeMetadata,
    KVConnectorMetadata,
)
from vllm.logger import init_logger

from kvforge_vllm.groups import specs_of

_LOG = init_logger(f"vllm.{__name__}")
_NAMES = ("remote_request_id", "remote_host", "remote_port", "remote_num_tokens")
_LEASE = 30.0  # seconds that pages are kept for a reader that does not come


@dataclass(frozen=True)
class Address(KVConnectorHandshakeMetadata):
    """Where a rank's endpoint takes hellos, and how often it has had caches to register."""

    host: str
    port: int
    generation: int = 1


@dataclass(frozen=True)
class Source:
    """A request of another engine: its id there, and where all ranks of that engine are."""

    key: str
    ranks: tuple[tuple[str, int], ...]


@dataclass(frozen=True)
class Send:
    """Tokens of a request that has finished here, in the blocks of each group."""

    key: str
    blocks: tuple[list[int], ...]
    tokens: int


@dataclass(frozen=True)
class Receive:
    """Tokens of a request that waits here: in each group from the first that is wanted to the end.

    Without blocks there is nothing to come, and nobody waits: the source's pages are given up.
    """

    request: str
    source: Source
    blocks: tuple[list[int], ...] = ()
    first: tuple[int, ...] = ()
    tokens: int = 0


@dataclass
class Step(KVConnectorMetadata):
    """What a step has for the workers. `renewals` are pages elsewhere that will still be wanted."""

    sends: list[Send] = field(default_factory=list)
    receives: list[Receive] = field(default_factory=list)
    renewals: list[Source] = field(default_factory=list)
    aborts: list[str] = field(default_factory=list)


def lease(vllm_config: Any) -> float:
    """Seconds, from kv_connector_extra_config."""
    return float(vllm_config.kv_transfer_config.get_from_extra_config("lease", _LEASE))


class Handover:
    """Of one scheduler. Methods are called as those of KVConnectorBase_V1 that lead here."""

    def __init__(self, vllm_config: Any, kv_cache_config: Any) -> None:
        parallel = vllm_config.parallel_config
        if parallel.decode_context_parallel_size > 1:
            raise NotImplementedError("kvforge: a cache whose tokens are spread over ranks")
        self._config = kv_cache_config
        self._windows: list[int | None] = []
        for group in kv_cache_config.transfer_groups:
            specs = specs_of(group).values()
            windows = {getattr(spec, "sliding_window", None) for spec in specs}
            self._windows.append(windows.pop() if len(windows) == 1 else None)
        self._engine = vllm_config.kv_transfer_config.engine_id
        self._sizes = {
            "tp_size": parallel.tensor_parallel_size,
            "pp_size": parallel.pipeline_parallel_size,
            "dcp_size": 1,
        }
        self._lease = lease(vllm_config)
        self._renewed = 0.0
        self._computed: dict[str, int] = {}
        self._waiting: dict[str, Source] = {}
        self._receiving: set[str] = set()
        self._step = Step()
        self.addresses: list[Any] = []
        self.sending: set[str] = set()

    def new_request(self, request: Any) -> None:
        """Its pages elsewhere are kept for as long as it waits."""
        if source := _source(request):
            self._waiting[request.request_id] = source

    def matched(self, request: Any, computed: int) -> tuple[int, bool]:
        """Tokens behind the computed ones that another engine has, and whether they come by themselves."""
        if _source(request) is None:
            return 0, False
        self._computed[request.request_id] = computed
        count = _tokens(request) - computed
        return (count, True) if count > 0 else (0, False)

    def allocated(self, request: Any, blocks: tuple[list[int], ...], external: int) -> None:
        """Blocks for what comes, which is asked for once; none may be needed."""
        source = _source(request)
        if source is None:
            return
        request.kv_transfer_params["do_remote_prefill"] = False
        self._waiting.pop(request.request_id, None)
        computed = self._computed.pop(request.request_id, 0)
        if external == 0:
            self._step.receives.append(Receive(request.request_id, source))
            return
        tokens = computed + external
        first = tuple(
            computed if window is None else max(computed, tokens - window + 1)
            for window in self._windows
        )
        mine = tuple(self._config.select_transfer_block_ids(blocks))
        self._receiving.add(request.request_id)
        self._step.receives.append(Receive(request.request_id, source, mine, first, tokens))

    def step(self) -> Step:
        """What has come together since the last one."""
        done, self._step = self._step, Step()
        now = time.monotonic()
        if now - self._renewed > self._lease / 6:
            self._renewed = now
            done.renewals = list(self._waiting.values())
        return done

    def withdraw(self) -> None:
        """Gives up what waits here for other engines: their requests fail or are computed there."""
        self._step.aborts += sorted(self.sending)

    def moved(self, output: Any) -> None:
        """What workers say has been sent and received."""
        self.sending -= set(output.finished_sending or ())
        self._receiving -= set(output.finished_recving or ())

    def finished(
        self, request: Any, blocks: tuple[list[int], ...]
    ) -> tuple[bool, dict[str, Any] | None]:
        """Whether the blocks are kept until they are sent, and what the other engine is to be told."""
        name, params = request.request_id, request.kv_transfer_params or {}
        self._computed.pop(name, None)
        self._waiting.pop(name, None)
        if source := _source(request):  # it was aborted before it had blocks
            params["do_remote_prefill"] = False
            self._step.receives.append(Receive(name, source))
        if name in self._receiving:
            self._step.aborts.append(name)
        ended_well = request.status.name in ("FINISHED_LENGTH_CAPPED", "FINISHED_STOPPED")
        if not params.get("do_remote_decode") or not ended_well or not any(blocks):
            return False, None
        mine = tuple(self._config.select_transfer_block_ids(blocks))
        tokens = request.num_computed_tokens
        self._step.sends.append(Send(name, mine, tokens))
        self.sending.add(name)
        ranks = [[address.host, address.port] for address in self.addresses]
        return True, {
            "do_remote_prefill": True,
            "do_remote_decode": False,
            "remote_block_ids": mine,
            "remote_engine_id": self._engine,
            "remote_request_id": name,
            "remote_host": ranks[0][0],
            "remote_port": ranks[0][1],
            "remote_ranks": ranks,
            "remote_num_tokens": tokens,
            # As NIXL's, which routers may read: that of a prefill engine says no time either, since a
            # lease is renewed. Nobody here has to say hello anew for another generation.
            "remote_blocks_expiry_time": None,
            "remote_registration_generation": max(each.generation for each in self.addresses),
            "transfer_mode": "kvforge",
            **self._sizes,
        }


def _source(request: Any) -> Source | None:
    """Where a request's tokens are to come from, if they are."""
    params = request.kv_transfer_params or {}
    if not params.get("do_remote_prefill"):
        return None
    missing = [name for name in _NAMES if params.get(name) is None]
    if missing:
        _LOG.warning("kv_transfer_params of %s lack %s", request.request_id, missing)
        return None
    ranks: Sequence[Any] = params.get("remote_ranks") or [
        (params["remote_host"], params["remote_port"])
    ]
    return Source(
        params["remote_request_id"], tuple((str(host), int(port)) for host, port in ranks)
    )


def _tokens(request: Any) -> int:
    """Of the prompt, as far as the other engine has it."""
    return min(int(request.kv_transfer_params["remote_num_tokens"]), int(request.num_prompt_tokens))
