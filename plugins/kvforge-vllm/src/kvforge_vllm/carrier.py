"""The worker's part of the connector: an endpoint of kvforge.transfer over the views of this rank's cache."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from vllm.logger import init_logger
from vllm.utils.network_utils import get_ip

from kvforge import transfer
from kvforge.transfer.gloo_engine import GlooEngine
from kvforge_vllm.groups import groups_of
from kvforge_vllm.handover import Address, Receive, Send, Source, Step, lease
from kvforge_vllm.telemetry import TransferStats

_LOG = init_logger(f"vllm.{__name__}")
_OPTIONS = ("engine", "host", "port", "layerwise", "lease", "slots", "slot_bytes", "silence")


@dataclass
class _Prefill:
    """A request that is offered while its last tokens are computed: the transfer of each group, and the
    layers that are not written."""

    offers: dict[str, transfer.Transfer]
    missing: set[str]


@dataclass
class _Arrival:
    """A request whose tokens are under way to here; `begun` has the transfer of each group."""

    receive: Receive
    begun: Future[list[transfer.Transfer]]
    aborted: bool = False

    def done(self) -> bool:
        return self.begun.done() and (
            self.begun.exception() is not None or all(each.done() for each in self.begun.result())
        )

    def error(self) -> BaseException | None:
        """The first, once it is done."""
        if error := self.begun.exception():
            return error
        return next((error for each in self.begun.result() if (error := each.exception())), None)

    def abort(self) -> None:
        """Now, or as soon as it has begun."""
        self.aborted = True
        if self.begun.done() and self.begun.exception() is None:
            for each in self.begun.result():
                each.abort()


class Carrier:
    """Of one rank. Nothing here waits for another engine but on a thread that is for hellos."""

    def __init__(self, vllm_config: Any, kv_cache_config: Any) -> None:
        self._vllm_config, self._config = vllm_config, kv_cache_config
        self._readers = int(vllm_config.parallel_config.world_size)
        self._extra = dict(vllm_config.kv_transfer_config.kv_connector_extra_config)
        if unknown := self._extra.keys() - set(_OPTIONS):
            raise ValueError(
                f"kvforge: kv_connector_extra_config: got {sorted(unknown)}, want some of {_OPTIONS}"
            )
        self._endpoint: transfer.Endpoint | None = None
        self._hellos = ThreadPoolExecutor(1, "kvforge-hellos")
        self._sends: dict[str, list[transfer.Transfer]] = {}
        self._prefills: dict[str, _Prefill] = {}
        self._arrivals: dict[str, _Arrival] = {}
        self._failed_blocks: set[int] = set()
        self._stats = TransferStats()
        self._quarantined = 0  # slots, when that was last looked at
        self._look = False  # whether there may be others
        self._block_sizes = [
            int(group.kv_cache_spec.block_size) for group in kv_cache_config.transfer_groups
        ]
        self._groups: list[list[str]] = []  # what each of vLLM's groups is here
        self._group_of: dict[str, str] = {}  # and where each layer is
        # The engine's: it keeps them while their memory is away.
        self._caches: weakref.WeakValueDictionary[str, Tensor] = weakref.WeakValueDictionary()
        self._layers: set[str] = set()
        self._awake = False
        self.address: Address | None = None

    def open(self, kv_caches: dict[str, Tensor]) -> None:
        """Makes views of all layers, and listens, at the same address if it has before."""
        made = [
            groups_of(number, group, kv_caches, self._vllm_config)
            for number, group in enumerate(self._config.transfer_groups)
        ]
        groups = [group for each in made for group in each]
        if self._endpoint is None or self.address is None:
            self._groups = [[group.shape.name for group in each] for each in made]
            self._group_of = {
                layer: group.shape.name for group in groups for layer in group.shape.layers
            }
            self._listen(groups)
        else:
            self._endpoint.attach(groups)
            self.address = dataclasses.replace(self.address, generation=self.address.generation + 1)
        self._caches, self._layers = weakref.WeakValueDictionary(kv_caches), set(kv_caches)
        self._awake = True

    def sleep(self) -> None:
        """Lets go of the caches. What is under way fails, and results() says so."""
        if self._awake and self._endpoint is not None:
            self._awake = False
            self._endpoint.detach()

    def wake(self) -> None:
        """Makes the views anew. RuntimeError where the engine has others now: see open()."""
        if self._awake or self._endpoint is None:
            return
        caches = dict(self._caches)
        if gone := self._layers - caches.keys():
            raise RuntimeError(
                f"kvforge: caches that were registered are gone: {sorted(gone)}; register the new ones"
            )
        self.open(caches)

    def _listen(self, groups: list[transfer.Group]) -> None:
        host = self._extra.get("host") or get_ip()
        engine = self._extra.get("engine", "nixl")
        options = {
            name: self._extra[name]
            for name in ("slots", "slot_bytes", "silence")
            if name in self._extra
        }
        self._endpoint = transfer.Endpoint(
            str(self._vllm_config.kv_transfer_config.engine_id)[:8],
            groups,
            engine=functools.partial(GlooEngine, host=host) if engine == "gloo" else engine,
            deadline=lease(self._vllm_config),
            **options,
        )
        self.address = Address(*self._endpoint.listen(host, self._port()))

    def _port(self) -> int:
        """That of this rank, where routers are to know it; else any."""
        parallel, first = self._vllm_config.parallel_config, int(self._extra.get("port", 0))
        ranks = getattr(parallel, "data_parallel_index", 0) * parallel.world_size
        return first and first + ranks + int(parallel.rank)

    def begin(self, step: Step) -> None:
        """Begins what the scheduler wants of this step."""
        assert self._endpoint is not None
        for send in step.sends:
            offers: dict[str, transfer.Transfer] = {}
            if send.request in self._prefills:
                offers = self._prefills.pop(send.request).offers
            elif self._awake:
                offers = self._offer(send)
            self._sends[send.request] = list(offers.values())
        for receive in step.receives:
            if receive.blocks:
                # Steps that still read these blocks are on this thread's stream.
                ready = self._endpoint.ready()
                begun = self._hellos.submit(self._fetch, receive, ready, self.address)
                self._arrivals[receive.request] = _Arrival(receive, begun)
            else:
                self._hellos.submit(self._give_up, receive.source)
        for source in step.renewals:
            self._hellos.submit(self._each, source, lambda endpoint, *rest: endpoint.renew(*rest))
        self.abort(step.aborts)

    def abort(self, names: Sequence[str]) -> None:
        """Ends what goes of these requests, or comes; results() has them."""
        for name in names:
            if name in self._arrivals:
                self._arrivals[name].abort()
            for each in self._sends.get(name, ()):
                each.abort()

    def written(self, step: Step, layer: str) -> None:
        """The step's prefills have their rows of a layer. In the middle of the forward pass, and mostly
        before begin() of this step."""
        for send in step.prefills:
            if send.request not in self._prefills:
                self._prefills[send.request] = _Prefill(
                    self._offer(send, by_layer=True), set(self._group_of)
                )
            prefill = self._prefills[send.request]
            if layer in prefill.missing:
                prefill.missing.remove(layer)
                prefill.offers[self._group_of[layer]].ready(layer)

    def all_written(self, step: Step) -> None:
        """Behind the forward pass, of which not each layer tells: that of an indexer does not."""
        if step.prefills:
            for layer in self._group_of:
                self.written(step, layer)

    def drop(self, names: Sequence[str]) -> None:
        """Ends prefills that others have the blocks of from now on. What is packed of them does not go."""
        for name in names:
            if prefill := self._prefills.pop(name, None):
                for each in prefill.offers.values():
                    each.abort()

    def _offer(self, send: Send, by_layer: bool = False) -> dict[str, transfer.Transfer]:
        """An offer of each group. Blocks in front of a window are null, and have no tokens."""
        assert self._endpoint is not None
        found = {}
        for blocks, size, names in zip(send.blocks, self._block_sizes, self._groups, strict=True):
            first = size * next((i for i, block in enumerate(blocks) if block), 0)
            where = transfer.slots(blocks, size, first, send.tokens - first)
            for name in names:
                options: dict[str, Any] = {"group": name, "first": first, "readers": None}
                options["by_layer"] = by_layer
                found[name] = self._endpoint.offer(send.key, where, **options)
        return found

    # ---- on the thread for hellos ------------------------------------------------------------------

    def _names(self, source: Source) -> list[str]:
        """The peers of an engine, who are greeted unless they are there: of those that were lost and
        are back the endpoint knows the names."""
        found = self._endpoint
        assert found is not None
        return [found.peer_at(*rank) or found.connect(*rank) for rank in source.ranks]

    def _fetch(
        self, receive: Receive, ready: Any, address: Address | None
    ) -> list[transfer.Transfer]:
        assert self._endpoint is not None
        peers = self._names(receive.source)
        if self.address is not address:  # the engine has slept since, and has other pages
            raise transfer.Aborted(f"kvforge: {receive.request} is of caches that went away")
        found: list[transfer.Transfer] = []
        key = receive.source.key
        groups = zip(receive.blocks, receive.first, self._block_sizes, self._groups, strict=True)
        try:
            for blocks, first, size, names in groups:
                where = transfer.slots(blocks, size, first, receive.tokens - first)
                for name in names:
                    options: dict[str, Any] = {"group": name, "first": first, "ready": ready}
                    options["by_layer"] = receive.source.early and int(self._extra["layerwise"])
                    ready = None  # the others come behind the first
                    found.append(self._endpoint.fetch(peers, key, where, zero_tail=True, **options))
        except BaseException:
            for each in found:
                each.abort()
            raise
        return found

    def _each(self, source: Source, call: Callable[..., None], *arguments: Any) -> None:
        """Tells all ranks of an engine; one that is not there finds out by its lease."""
        with contextlib.suppress(transfer.TransferError):
            for peer in self._names(source):
                call(self._endpoint, peer, source.key, *arguments)

    def _give_up(self, source: Source) -> None:
        self._each(source, lambda endpoint, *rest: endpoint.release(*rest), self._readers)

    # ---- what has become of it ---------------------------------------------------------------------

    def results(self, by_name: bool = True) -> tuple[set[str], set[str], set[str]]:
        """Requests that have been sent since the last call, that have come, and among them the failed.

        Of one group of layers the failed ones are told by blocks, see take_failed_blocks(), and of several
        by name, or else by blocks, too.
        """
        sent: set[str] = set()
        received: set[str] = set()
        failed: set[str] = set()
        for key, transfers in list(self._sends.items()):
            if all(each.done() for each in transfers):
                del self._sends[key]
                sent.add(key)
                self._stats.sent(transfers)
                for each in transfers:
                    if error := each.exception():
                        self._look = True
                        _LOG.warning("%s was not sent: %s", key, error)
        for name, arrival in list(self._arrivals.items()):
            if arrival.aborted:
                arrival.abort()
            if not arrival.done():
                continue
            del self._arrivals[name]
            received.add(name)
            error = arrival.error()
            self._hellos.submit(self._give_up, arrival.receive.source)
            self._look |= error is not None
            if error is None:
                self._stats.received(arrival.begun.result())
            elif not arrival.aborted:
                self._stats.not_received()
                _LOG.warning("%s has not come: %s", name, error)
                if by_name and len(arrival.receive.blocks) > 1:
                    failed.add(name)
                else:
                    self._fail(arrival.receive)
        return sent, received, failed

    def _fail(self, receive: Receive) -> None:
        """What was here before is kept."""
        groups = zip(receive.blocks, receive.first, self._block_sizes, strict=True)
        for blocks, first, size in groups:
            self._failed_blocks |= set(blocks[first // size : -(-receive.tokens // size)])

    def take_failed_blocks(self) -> set[int]:
        """Those of receives that failed, once."""
        found, self._failed_blocks = self._failed_blocks, set()
        return found

    def take_stats(self) -> TransferStats | None:
        """Of what has ended since the last call."""
        found, self._stats = self._stats, TransferStats()
        if self._endpoint is not None and (self._look or self._quarantined):
            self._look = False
            rings = self._endpoint.counts().values()
            slots = sum(ring["quarantined"] for ring in rings)
            if slots != self._quarantined:
                self._quarantined = slots
                found.quarantined(self._vllm_config.parallel_config.rank, slots)
        return None if found.is_empty() else found

    def close(self) -> None:
        """Ends all that is under way."""
        self._hellos.shutdown(wait=False, cancel_futures=True)
        if self._endpoint is not None:
            self._endpoint.close()
