"""The scheduler's part of the connector: which requests' tokens go to another engine or come from one."""

from __future__ import annotations

import hashlib
import re
import time
from array import array
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
_SUFFIX = re.compile(r"-[0-9a-f]{8}$", re.IGNORECASE)  # that an engine gives a request's id
_LEASE = 30.0  # seconds that pages are kept for a reader that does not come


@dataclass(frozen=True)
class Address(KVConnectorHandshakeMetadata):
    """Where a rank's endpoint takes hellos, and how often it has had caches to register."""

    host: str
    port: int
    generation: int = 1


@dataclass(frozen=True)
class Source:
    """A request of another engine: what it is offered as there, and where all ranks of that engine are.
    `early`: that engine may be computing it yet."""

    key: str
    ranks: tuple[tuple[str, int], ...]
    early: bool = False


@dataclass(frozen=True)
class Send:
    """Tokens of a request that has finished here, or does with this step, in the blocks of each group."""

    request: str
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
    """What a step has for the workers. `renewals` are pages elsewhere that will still be wanted.

    `prefills` are computed in this step to their end, and go layer by layer; `sends` has them again when
    they have finished, and `drops` those that do not, whose blocks others may have from this step on.
    """

    prefills: list[Send] = field(default_factory=list)
    drops: list[str] = field(default_factory=list)
    sends: list[Send] = field(default_factory=list)
    receives: list[Receive] = field(default_factory=list)
    renewals: list[Source] = field(default_factory=list)
    aborts: list[str] = field(default_factory=list)


def lease(vllm_config: Any) -> float:
    """Seconds, from kv_connector_extra_config."""
    return float(vllm_config.kv_transfer_config.get_from_extra_config("lease", _LEASE))


def layerwise(extra_config: Any) -> bool:
    """Whether prompts go layer by layer, of kv_connector_extra_config."""
    return bool(extra_config.get("layerwise", False))


class Handover:
    """Of one scheduler. Methods are called as those of KVConnectorBase_V1 that lead here."""

    def __init__(self, vllm_config: Any, kv_cache_config: Any) -> None:
        parallel = vllm_config.parallel_config
        if parallel.decode_context_parallel_size > 1:
            raise NotImplementedError("kvforge: a cache whose tokens are spread over ranks")
        self._layerwise = layerwise(vllm_config.kv_transfer_config.kv_connector_extra_config)
        if self._layerwise and getattr(parallel, "use_ubatching", False):
            raise NotImplementedError("kvforge: layerwise with steps in several microbatches")
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
        self._prefills: dict[str, Any] = {}  # requests that may go layer by layer
        # Those that do, and how often they were preempted.
        self._early: dict[str, tuple[Send, int]] = {}
        self._step = Step()
        self.addresses: list[Any] = []
        self.sending: set[str] = set()

    def new_request(self, request: Any) -> None:
        """Its pages elsewhere are kept for as long as it waits."""
        if source := self._source(request):
            self._waiting[request.request_id] = source
        params = request.kv_transfer_params or {}
        # A request that goes on behind its prompt may lose blocks meanwhile: those in front of a window.
        if self._layerwise and params.get("do_remote_decode") and request.max_tokens == 1:
            self._prefills[request.request_id] = request

    def matched(self, request: Any, computed: int) -> tuple[int, bool]:
        """Tokens behind the computed ones that another engine has, and whether they come by themselves."""
        if self._source(request) is None:
            return 0, False
        self._computed[request.request_id] = computed
        count = _tokens(request) - computed
        return (count, True) if count > 0 else (0, False)

    def allocated(self, request: Any, blocks: tuple[list[int], ...], external: int) -> None:
        """Blocks for what comes, which is asked for once; none may be needed."""
        source = self._source(request)
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

    def step(self, output: Any) -> Step:
        """What has come together since the last one, and prompts that this one ends."""
        if self._prefills:
            self._find_prefills(output)
        done, self._step = self._step, Step()
        now = time.monotonic()
        if now - self._renewed > self._lease / 6:
            self._renewed = now
            done.renewals = list(self._waiting.values())
        return done

    def _find_prefills(self, output: Any) -> None:
        if (blocks := getattr(output, "kv_connector_block_state", None)) is None:
            raise NotImplementedError("kvforge: layerwise, of a vLLM before 0.33")
        for name, (_, preemptions) in list(self._early.items()):
            if self._prefills[name].num_preemptions != preemptions:
                self._drop(name)
        for name in self._prefills.keys() & output.num_scheduled_tokens.keys() - self._early.keys():
            request = self._prefills[name]
            # Where a prompt is computed in parts, all of it goes with the last one.
            computed = request.num_computed_tokens + output.num_scheduled_tokens[name]
            key = _shared(request)
            if key is None or computed < request.num_prompt_tokens:
                continue
            mine = tuple(self._config.select_transfer_block_ids(blocks.resolve_block_ids(name)))
            send = Send(name, key, mine, request.num_prompt_tokens)
            self._early[name] = send, request.num_preemptions
            self._step.prefills.append(send)

    def _drop(self, name: str) -> None:
        """Of what goes layer by layer, before others have its blocks."""
        if self._early.pop(name, None) is not None:
            self._step.drops.append(name)

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
        self._prefills.pop(name, None)
        if source := self._source(request):  # it was aborted before it had blocks
            params["do_remote_prefill"] = False
            self._step.receives.append(Receive(name, source))
        if name in self._receiving:
            self._step.aborts.append(name)
        ended_well = request.status.name in ("FINISHED_LENGTH_CAPPED", "FINISHED_STOPPED")
        if not params.get("do_remote_decode") or not ended_well or not any(blocks):
            self._drop(name)
            return False, None
        mine = tuple(self._config.select_transfer_block_ids(blocks))
        whole = Send(name, name, mine, request.num_computed_tokens)
        send, _ = self._early.pop(name, (whole, 0))
        self._step.sends.append(send)
        self.sending.add(name)
        ranks = [[address.host, address.port] for address in self.addresses]
        return True, {
            "do_remote_prefill": True,
            "do_remote_decode": False,
            "remote_block_ids": mine,
            "remote_engine_id": self._engine,
            "remote_request_id": send.key,
            "remote_host": ranks[0][0],
            "remote_port": ranks[0][1],
            "remote_ranks": ranks,
            "remote_num_tokens": send.tokens,
            # As NIXL's, which routers may read: that of a prefill engine says no time either, since a
            # lease is renewed. Nobody here has to say hello anew for another generation.
            "remote_blocks_expiry_time": None,
            "remote_registration_generation": max(each.generation for each in self.addresses),
            "transfer_mode": "kvforge",
            **self._sizes,
        }

    def _source(self, request: Any) -> Source | None:
        """Where a request's tokens are to come from, if they are.

        Routers ask the two engines one after the other, and hand on what the first one says; or, as with
        NIXL's push mode, both at once, and tell the second where the first one is. Then only what both
        are given names the request.
        """
        params = request.kv_transfer_params or {}
        if not params.get("do_remote_prefill"):
            return None
        early = self._layerwise and params.get("remote_num_tokens") is None
        shared = _shared(request) if early else None
        names = _NAMES if shared is None else ("remote_host", "remote_port")
        missing = [name for name in names if params.get(name) is None]
        if missing:
            _LOG.warning("kv_transfer_params of %s lack %s", request.request_id, missing)
            return None
        count = int(params.get("tp_size") or 1) * int(params.get("pp_size") or 1)
        ranks: Sequence[Any] = params.get("remote_ranks") or [
            (params["remote_host"], int(params["remote_port"]) + rank) for rank in range(count)
        ]
        return Source(
            shared or params["remote_request_id"],
            tuple((str(host), int(port)) for host, port in ranks),
            shared is not None,
        )


def _shared(request: Any) -> str | None:
    """What two engines call a request that they are given under one id: without what each adds to it, and
    with a digest of its tokens, so that an id which is used again never names another prompt."""
    if request.prompt_token_ids is None:
        return None
    tokens = hashlib.blake2b(array("q", request.prompt_token_ids).tobytes(), digest_size=8)
    return f"{_SUFFIX.sub('', request.request_id)}/{tokens.hexdigest()}"


def _tokens(request: Any) -> int:
    """Of the prompt, as far as the other engine has it, or will."""
    known = request.kv_transfer_params.get("remote_num_tokens")
    prompt = int(request.num_prompt_tokens)
    return prompt if known is None else min(int(known), prompt)
