"""Stands for vLLM: see ../README.md."""
