"""Datasets: curation frozen into files, split, and the order in which a run reads them."""

from core.dataset.blend import classic_text, epoch_order
from core.dataset.freeze import FrozenDataset, Manifest, freeze, load_frozen

__all__ = ["FrozenDataset", "Manifest", "classic_text", "epoch_order", "freeze", "load_frozen"]
