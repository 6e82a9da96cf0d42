"""Datasets: curation frozen into files, split, and the order in which a run reads them."""
