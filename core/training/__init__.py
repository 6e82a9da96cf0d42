"""Fine-tuning: a run is a folder and a process of its own; everything else reads the folder.

Importing this package loads neither torch nor transformers.
"""

from core.training.advise import Advice, advise, in_words
from core.training.history import RunHistory, TrainingSample
from core.training.launch import resume_run, start_run, stop_run
from core.training.reader import RunReader, RunUpdate
from core.training.run import Run, all_runs, find_run
from core.training.settings import PRESETS, TrainSettings, settings_for
from core.training.shares import AuthorShare, planned_shares
from core.training.summary import RunsFollower, RunSummary, list_runs, run_result

__all__ = [
    "PRESETS",
    "Advice",
    "AuthorShare",
    "Run",
    "RunHistory",
    "RunReader",
    "RunSummary",
    "RunUpdate",
    "RunsFollower",
    "TrainSettings",
    "TrainingSample",
    "advise",
    "all_runs",
    "find_run",
    "in_words",
    "list_runs",
    "planned_shares",
    "resume_run",
    "run_result",
    "settings_for",
    "start_run",
    "stop_run",
]
