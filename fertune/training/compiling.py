"""Optimizer and loss of a recipe, put on a model."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import numpy.typing as npt

from fertune.models.engine import backend, jit
from fertune.training.recipe import Recipe


def make_optimizer(recipe: Recipe) -> Any:
    """A fresh optimizer. Weight decay is decoupled (Loshchilov and Hutter, 2019) and spares biases and batch norm."""
    rate, decay = recipe.learning_rate, recipe.weight_decay or None
    if recipe.optimizer == "sgd":
        momentum = recipe.momentum
        optimizer = keras.optimizers.SGD(rate, momentum=momentum, nesterov=momentum > 0, weight_decay=decay)
    elif recipe.optimizer == "rmsprop":
        optimizer = keras.optimizers.RMSprop(rate, weight_decay=decay)
    elif recipe.optimizer == "adamw":
        optimizer = keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay)
    else:
        optimizer = keras.optimizers.Adam(rate, weight_decay=decay)
    if decay:
        optimizer.exclude_from_weight_decay(var_names=["bias", "gamma", "beta"])
    return optimizer


def first_rate(model: Any, recipe: Recipe) -> float:
    """The learning rate that a schedule is built on: of the recipe, or of the optimizer that a model came with."""
    if not (model.compiled and model.loss is not None):
        return recipe.learning_rate
    return float(keras.ops.convert_to_numpy(model.optimizer.learning_rate))


def compile_as(model: Any, other: Any) -> None:
    """Compile a model over the same layers as another one, with its optimizer and its loss."""
    model.compile(optimizer=other.optimizer, loss=other.loss, metrics=["accuracy"], jit_compile=jit(model))


def compile_model(model: Any, recipe: Recipe, n_classes: int) -> npt.NDArray[Any]:
    """Compile, and say what the loss wants as targets.

    A model that comes compiled (from a user's own build function) keeps its optimizer and its loss.

    Returns:
        (classes, classes) float32 rows of the identity, or (classes,) int32 for a sparse loss.
    """
    if model.compiled and model.loss is not None:
        optimizer, loss = model.optimizer, model.loss
    else:
        optimizer = make_optimizer(recipe)
        loss = keras.losses.CategoricalCrossentropy(label_smoothing=recipe.label_smoothing)
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"], jit_compile=jit(model))
    name = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    sparse = "sparse" in name.lower()
    targets = np.arange(n_classes, dtype=np.int32) if sparse else np.eye(n_classes, dtype=np.float32)
    _make_variables(model, targets[:1], n_classes)
    return targets


def _make_variables(model: Any, target: npt.NDArray[Any], n_classes: int) -> None:
    """Let optimizer and metrics make their variables now.

    Where they are made inside of the first training step, TensorFlow traces that step twice; this halves the time
    before the first batch.
    """
    model.optimizer.build(model.trainable_variables)
    proba = keras.ops.full((1, n_classes), 1 / n_classes)
    model.compute_metrics(None, keras.ops.convert_to_tensor(target), proba)
    model.reset_metrics()


def set_rate(model: Any, rate: float) -> None:
    """Give the optimizer of a model that is being trained another learning rate, from the next batch on."""
    if backend() == "jax":  # between batches its variables live in the trainer
        model.jax_state_sync()
    model.optimizer.learning_rate = rate


def rate_is_scheduled(optimizer: Any) -> bool:
    """Whether the optimizer follows a schedule of its own, which nobody else may set."""
    return isinstance(optimizer.get_config().get("learning_rate"), dict)
