"""Expands one template per op and backend into a monomorphic C or CUDA file for every variant."""
