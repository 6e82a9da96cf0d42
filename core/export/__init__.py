"""Export: cleaned tweets as files for other tools, with a manifest that `verify` holds them to."""

from core.export.estimate import Estimate, estimate
from core.export.manifest import ExportedFile
from core.export.options import FORMATS, ExportOptions, heeded, suggested_name
from core.export.progress import ExportProgress
from core.export.tweets import export_tweets
from core.export.verify import Verified, verify
from core.export.write import ExportResult, export, export_batches

__all__ = [
    "FORMATS",
    "Estimate",
    "ExportOptions",
    "ExportProgress",
    "ExportResult",
    "ExportedFile",
    "Verified",
    "estimate",
    "export",
    "export_batches",
    "export_tweets",
    "heeded",
    "suggested_name",
    "verify",
]
