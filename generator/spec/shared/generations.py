"""The generations of the upstream op family, by the time in which its schemas stayed the same."""

GENERATIONS = ("late-2025", "early-2026", "late-2026")
