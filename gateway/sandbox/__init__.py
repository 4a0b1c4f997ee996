"""Stateful simulators of the three contact APIs, built from docs/providers alone.

They import nothing of the rest of the gateway, so that a connector and its
simulator cannot share a misreading of the documentation.
"""
