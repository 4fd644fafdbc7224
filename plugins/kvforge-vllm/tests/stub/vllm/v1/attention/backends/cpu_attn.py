"""vLLM's own backend."""


class CPUAttentionBackend:
    """Not called."""
