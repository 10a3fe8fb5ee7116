"""Typed actions: what an author writes once, with names, texts and schemas taken from it."""

from .action_set import ActionSet, ServiceType
from .call import ActionEvent, Call, Progress
from .catalogue import ActionTypes, Catalogue, FoundAction, ListedAction
from .declaration import Action, action
from .durations import Duration
from .running import run_action
from .service import Service
from .task import Task
from .task_call import TaskCall
from .task_run import TaskRun, check_task_config
from .task_type import TaskType

__all__ = [
    "Action",
    "ActionEvent",
    "ActionSet",
    "ActionTypes",
    "Call",
    "Catalogue",
    "Duration",
    "FoundAction",
    "ListedAction",
    "Progress",
    "Service",
    "ServiceType",
    "Task",
    "TaskCall",
    "TaskRun",
    "TaskType",
    "action",
    "check_task_config",
    "run_action",
]
