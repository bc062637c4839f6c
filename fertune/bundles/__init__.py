"""Trained models to hand on: the bundle file, how it is checked, and what predicts picture files."""

from fertune.bundles.model import TrainedModel, load_model
from fertune.bundles.pack import pack
from fertune.bundles.predictions import PicturePredictions

__all__ = ["PicturePredictions", "TrainedModel", "load_model", "pack"]
