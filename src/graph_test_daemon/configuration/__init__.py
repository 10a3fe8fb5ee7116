"""Configuration files of further services, made of addresses and whatever else a stack knows."""

from .task import GraphConfiguration

__all__ = ["GraphConfiguration"]
