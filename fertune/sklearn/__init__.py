"""fertune as scikit-learn estimators: over pictures, and over the probabilities of other models."""

from fertune.sklearn.meta import MetaClassifier
from fertune.sklearn.pictures import FertuneClassifier

__all__ = ["FertuneClassifier", "MetaClassifier"]
