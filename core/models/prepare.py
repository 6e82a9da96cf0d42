"""From a base's name to a folder that can be loaded: conversion or download, once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from core.models import hub, smollm2
from core.models.catalogue import Base
from core.models.folder import check_model_folder


def prepare(base: Base, progress: Callable[[str], None] | None = None) -> Path | None:
    """The folder of ``base``, made now if need be; None for one made from nothing.

    May take half a minute (conversion, needs torch) or as long as a download takes, so it runs in
    the training process. ``progress`` gets one sentence when something slow begins.
    """
    if base.kind == "scratch":
        return None
    if base.folder is not None:
        return base.folder
    if base.kind == "packaged":
        return smollm2.convert(progress)
    folder = hub.download(base.name, progress)
    check_model_folder(folder)
    return folder
