"""Datasets: curation frozen into files, split, and the order in which a run reads them."""

from core.dataset.blend import epoch_order
from core.dataset.classic import classic_order, classic_text
from core.dataset.freeze import FrozenDataset, Manifest, freeze, load_frozen
from core.dataset.shares import Share, classic_shares, expected_shares

__all__ = [
    "FrozenDataset",
    "Manifest",
    "Share",
    "classic_order",
    "classic_shares",
    "classic_text",
    "epoch_order",
    "expected_shares",
    "freeze",
    "load_frozen",
]
