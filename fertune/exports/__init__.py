"""A run in the formats of others, from its journal alone."""

from fertune.exports.optuna import export_study
from fertune.exports.table import export_table

__all__ = ["export_study", "export_table"]
