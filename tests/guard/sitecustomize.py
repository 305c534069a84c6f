"""Loaded by every Python that is started with this folder on PYTHONPATH: kernels, servers, scripts."""

from network_guard import forbid_network

forbid_network()
