"""Pictures: from files of many kinds to one cached, memory-mapped ``ImageDataset``."""

from fertune.data.audit import DataAudit, audit, twin_rows
from fertune.data.dataset import SPLITS, ImageDataset
from fertune.data.open import open_dataset
from fertune.data.options import ReadOptions

__all__ = ["SPLITS", "DataAudit", "ImageDataset", "ReadOptions", "audit", "open_dataset", "twin_rows"]
