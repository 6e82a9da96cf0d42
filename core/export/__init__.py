"""Export: cleaned tweets as files for other tools, with a manifest."""

from core.export.write import FORMATS, ExportedFile, ExportResult, export

__all__ = ["FORMATS", "ExportResult", "ExportedFile", "export"]
