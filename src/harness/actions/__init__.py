"""Typed actions: what an author writes once, with names, texts and schemas taken from it."""

from .action_set import ActionSet, ServiceType
from .call import ActionEvent, Call, Progress
from .catalogue import ActionTypes, Catalogue, FoundAction, ListedAction
from .declaration import Action, action
from .running import run_action
from .service import Service

__all__ = [
    "Action",
    "ActionEvent",
    "ActionSet",
    "ActionTypes",
    "Call",
    "Catalogue",
    "FoundAction",
    "ListedAction",
    "Progress",
    "Service",
    "ServiceType",
    "action",
    "run_action",
]
