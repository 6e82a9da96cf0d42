"""Curation of Parquet files in pieces, on this machine or on a Ray cluster: the same bytes out."""

from core.curating.engines import ENGINES, EngineName
from core.curating.files import CuratedFiles, curate_corpus, curate_files

__all__ = ["ENGINES", "CuratedFiles", "EngineName", "curate_corpus", "curate_files"]
