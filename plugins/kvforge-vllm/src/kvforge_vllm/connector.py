"""The KV connector: an engine that prefills hands its pages to one that decodes, whatever the two differ in.

    --kv-transfer-config '{"kv_connector": "KvforgeConnector", "kv_role": "kv_both"}'

The scheduler's instance decides what goes (handover.py), the worker's moves it by kvforge.transfer
(carrier.py) between views of the cache (groups.py).
"""

from __future__ import annotations

import sys
from typing import Any

from torch import Tensor
from vllm.distributed.kv_transfer.kv_connector.v1.base import (
    KVConnectorBase_V1,
    KVConnectorHandshakeMetadata,
    KVConnectorMetadata,
    KVConnectorRole,
    KVConnectorTransferResults,
    SupportsHMA,
)
from vllm.distributed.kv_transfer.kv_connector.v1.metrics import (
    KVConnectorPromMetrics,
    KVConnectorStats,
)
from vllm.v1.metrics.cache_hit_source import CacheHitSource

from kvforge_vllm.carrier import Carrier
from kvforge_vllm.handover import Handover, Step, layerwise
from kvforge_vllm.telemetry import Metrics, TransferStats


class KvforgeConnector(KVConnectorBase_V1, SupportsHMA):
    """What vLLM calls; see KVConnectorBase_V1 for when."""

    _cache_hit_source = CacheHitSource.P2P  # for what counts tokens by where they came from

    def __init__(self, vllm_config: Any, role: KVConnectorRole, kv_cache_config: Any) -> None:
        super().__init__(vllm_config, role, kv_cache_config)
        if role == KVConnectorRole.SCHEDULER:
            self._handover = Handover(vllm_config, kv_cache_config)
        else:
            self._carrier = Carrier(vllm_config, kv_cache_config)

    # ---- the scheduler's instance ------------------------------------------------------------------

    def set_xfer_handshake_metadata(
        self, metadata: dict[int, KVConnectorHandshakeMetadata]
    ) -> None:
        """The older form, of engines without stages."""
        self.set_xfer_handshake_metadata_pp_aware(
            {(0, rank): each for rank, each in metadata.items()}
        )

    def set_xfer_handshake_metadata_pp_aware(
        self, metadata: dict[tuple[int, int], KVConnectorHandshakeMetadata]
    ) -> None:
        self._handover.addresses = [metadata[rank] for rank in sorted(metadata)]

    def on_new_request(self, request: Any) -> None:
        self._handover.new_request(request)

    def get_num_new_matched_tokens(
        self, request: Any, num_computed_tokens: int
    ) -> tuple[int | None, bool]:
        return self._handover.matched(request, num_computed_tokens)

    def get_loaded_kv_cache_group_ids(self, request: Any) -> tuple[int, ...]:
        return tuple(self._kv_cache_config.transfer_group_ids)

    def update_state_after_alloc(self, request: Any, blocks: Any, num_external_tokens: int) -> None:
        self._handover.allocated(request, blocks.get_block_ids(), num_external_tokens)

    def build_connector_meta(self, scheduler_output: Any) -> KVConnectorMetadata:
        return self._handover.step(scheduler_output)

    def update_connector_output(self, connector_output: Any) -> None:
        self._handover.moved(connector_output)

    def request_finished(
        self, request: Any, block_ids: list[int]
    ) -> tuple[bool, dict[str, Any] | None]:
        return self._handover.finished(request, (block_ids,))

    def request_finished_all_groups(
        self, request: Any, block_ids: tuple[list[int], ...]
    ) -> tuple[bool, dict[str, Any] | None]:
        return self._handover.finished(request, block_ids)

    def has_pending_push_work(self) -> bool:
        return bool(self._handover.sending)

    def reset_cache(self) -> bool | None:
        """What the cache no longer has is no longer handed over either."""
        self._handover.withdraw()
        return True

    # ---- the worker's instance ---------------------------------------------------------------------

    @classmethod
    def requires_piecewise_for_cudagraph(cls, extra_config: dict[str, Any]) -> bool:
        return layerwise(extra_config)  # save_kv_layer() is not called where a graph has all layers

    @classmethod
    def supports_sleep_mode(cls, kv_transfer_config: Any) -> bool:
        return True

    def register_kv_caches(self, kv_caches: dict[str, Tensor]) -> None:
        self._carrier.open(kv_caches)

    def unregister_kv_caches(self) -> None:
        self._carrier.sleep()

    def restore_kv_caches(self) -> None:
        self._carrier.wake()

    def handle_preemptions(self, kv_connector_metadata: KVConnectorMetadata) -> None:
        """In front of the step whose start_load_kv() may come behind its forward pass."""
        assert isinstance(kv_connector_metadata, Step)
        self._carrier.abort(kv_connector_metadata.aborts)
        self._carrier.drop(kv_connector_metadata.drops)

    def get_handshake_metadata(self) -> KVConnectorHandshakeMetadata | None:
        return self._carrier.address

    def start_load_kv(self, forward_context: Any, **kwargs: Any) -> None:
        self._carrier.begin(self._step())

    def wait_for_layer_load(self, layer_name: str) -> None:
        """Nothing: a request is not scheduled before all of it has come.

        vLLM's scheduler has a request whose tokens come by themselves wait until it is in
        finished_recving, layer by layer or not. It would begin at once where get_num_new_matched_tokens()
        says that they do not; but then all other requests of the step wait here, too, for as long as
        the first engine computes.
        """

    def save_kv_layer(
        self, layer_name: str, kv_layer: Tensor, attn_metadata: Any, **kwargs: Any
    ) -> None:
        """With layerwise, the layer goes of prompts that this step ends; others when they have finished."""
        self._carrier.written(self._step(), layer_name)

    def wait_for_save(self) -> None:
        """Waits for nothing: blocks are kept until get_transfer_results() says that they have been sent."""
        if sys.exc_info()[0] is None:  # else the step has failed, and so are layers
            self._carrier.all_written(self._step())

    def _step(self) -> Step:
        metadata = self._get_connector_metadata()
        assert isinstance(metadata, Step)
        return metadata

    def get_transfer_results(self, finished_req_ids: set[str]) -> KVConnectorTransferResults:
        sent, received, failed = self._carrier.results()
        return KVConnectorTransferResults(sent, received, failed)

    def get_finished(self, finished_req_ids: set[str]) -> tuple[set[str] | None, set[str] | None]:
        """The older form, in which blocks alone say what has failed."""
        sent, received, _ = self._carrier.results(by_name=False)
        return sent, received

    def get_block_ids_with_load_errors(self) -> set[int]:
        return self._carrier.take_failed_blocks()

    def get_kv_connector_stats(self) -> KVConnectorStats | None:
        return self._carrier.take_stats() if self.role == KVConnectorRole.WORKER else None

    def shutdown(self) -> None:
        if self.role == KVConnectorRole.WORKER:
            self._carrier.close()

    # ---- the process that logs ---------------------------------------------------------------------

    @classmethod
    def build_kv_connector_stats(
        cls, data: dict[str, Any] | None = None
    ) -> KVConnectorStats | None:
        return TransferStats(data=data or {})

    @classmethod
    def build_prom_metrics(
        cls,
        vllm_config: Any,
        metric_types: dict[Any, Any],
        labelnames: list[str],
        per_engine_labelvalues: dict[int, list[object]],
    ) -> KVConnectorPromMetrics | None:
        return Metrics(vllm_config, metric_types, labelnames, per_engine_labelvalues)
