"""LMCache plugin: tokens between an engine's pages and LMCache's objects, by kvforge's kv_relayout.

    LMCACHE_DEVICE_BACKEND=kvforge-cpu

devices.py is what LMCache loads, ops.py its operations, formats.py how each of its formats lies in memory.
"""
