"""Scenarios in Python: built step by step, run by the daemon as workflows.

Which step failed is told with the line of Python that has it. What is built is a workflow, so it
can be printed as YAML, and stand in a stack file.
"""

from .errors import ScenarioFailed, ScenarioInvalid
from .growing import Services
from .references import Allocation, Contract, Ref, Result, Subgraph
from .running import Ran
from .scenario import Scenario

__all__ = [
    "Allocation",
    "Contract",
    "Ran",
    "Ref",
    "Result",
    "Scenario",
    "ScenarioFailed",
    "ScenarioInvalid",
    "Services",
    "Subgraph",
]
