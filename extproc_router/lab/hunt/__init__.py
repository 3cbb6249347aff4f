"""Looks for leaks: random policies, Envoy files, requests and faults, own oracles, and what is broken on purpose."""
