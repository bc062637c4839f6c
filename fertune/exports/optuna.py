"""A search as an Optuna study, for optuna-dashboard and Optuna's own plots."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from fertune.errors import ConfigError, MissingPackage, RunError
from fertune.space import Bool, Choice, Float, Int, Param, Space
from fertune.store import SearchRecord
from fertune.trial import State, Trial


def export_study(
    record: SearchRecord,
    storage: str,
    *,
    study: str | None = None,
    overwrite: bool = False,
    progress: Callable[[str, int, int | None, str], None] = lambda what, done, total, unit: None,
) -> str:
    """Make a study of all trials: parameters, states, the value of each epoch, and what else is known as attributes.

    A trial that was stopped when its search ended is a failed one there, with the attribute ``state``; Optuna's best
    trial is the search's, and as optimistic. Of a cross-validated trial the values of its folds stand in place of those
    of its epochs, which are of other rows.

    Args:
        storage: A URL as Optuna takes it, such as ``sqlite:///study.db``.
        study: Its name; by default the run's.
        overwrite: Take the place of a study of that name.
        progress: Told how far it has come, as ``Observer.progress``.

    Returns:
        The study's name.

    Raises:
        ConfigError: There is a study of that name, or the storage cannot be opened.
        MissingPackage: Optuna, or the driver of that database, is not installed.
    """
    optuna = _import()
    name = study or record.name
    directions = [_direction(o.direction) for o in _objectives(record)]
    distributions = _distributions(optuna, record)
    with _quiet(optuna):
        frozen = [_frozen(optuna, t, record, distributions) for t in record.trials]
        opened = _open(optuna, storage)
        with _told(storage):
            if name in optuna.get_all_study_names(storage=opened):
                if not overwrite:
                    raise ConfigError(
                        f"{storage} has a study {name!r} already", help="add --overwrite, or choose another --study"
                    )
                optuna.delete_study(study_name=name, storage=opened)
            made = optuna.create_study(study_name=name, storage=opened, directions=directions)
            try:
                for key, value in _about(record).items():
                    made.set_user_attr(key, value)
                if len(directions) > 1:
                    made.set_metric_names([o.name for o in _objectives(record)])
                for n, one in enumerate(frozen, start=1):
                    made.add_trial(one)
                    progress("writing the study", n, len(frozen), "trials")
            except BaseException:  # Ctrl-C too: no half a study is left
                optuna.delete_study(study_name=name, storage=opened)
                raise
    return name


def _import() -> Any:
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise MissingPackage(
            f"--optuna needs optuna; {error.name!r} is not installed", help='pip install "fertune[cpu]"'
        ) from error
    return optuna


@contextmanager
def _quiet(optuna: Any) -> Iterator[None]:
    level = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        optuna.logging.set_verbosity(level)


def _open(optuna: Any, storage: str) -> Any:
    if "://" not in storage:
        raise ConfigError(
            f"--optuna {storage}: not the URL of a database", help=f"--optuna sqlite:///{storage or 'study.db'}"
        )
    with _told(storage):
        return optuna.storages.RDBStorage(storage)


@contextmanager
def _told(storage: str) -> Iterator[None]:
    """What a database refuses is bad input, not a bug."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except ImportError as error:
        raise MissingPackage(
            f"--optuna {_safe(storage)}: the driver of that database is not installed: {error}",
            help="--optuna sqlite:///study.db needs none",
        ) from error
    except (SQLAlchemyError, RuntimeError, ValueError) as error:
        cause = error.__cause__ if isinstance(error.__cause__, SQLAlchemyError) else error
        text = str(getattr(cause, "orig", None) or cause).splitlines()[0]
        raise ConfigError(
            f"--optuna {_safe(storage)} cannot be written: {text}",
            help="a path after sqlite:/// is relative to this folder; its folder must be there",
        ) from error


def _safe(storage: str) -> str:
    """A URL without its password."""
    head, at, tail = storage.rpartition("@")
    if not at:
        return storage
    scheme, slashes, login = head.partition("://")
    return f"{scheme}{slashes}{login.partition(':')[0]}@{tail}"


def _objectives(record: SearchRecord) -> list[Any]:
    second = record.second_objective
    return [record.objective, *([second] if second is not None else [])]


def _direction(direction: str) -> str:
    return "maximize" if direction == "max" else "minimize"


def _distributions(optuna: Any, record: SearchRecord) -> dict[str, Any]:
    """Of each parameter; wide enough for every trial, since one of another range may have been taken over."""
    known = {p.name: p for p in Space.from_dict(record.info["space"]).params}
    found = {}
    for name in dict.fromkeys([*known, *(n for t in record.trials for n in t.params)]):
        values = [t.params[name] for t in record.trials if name in t.params]
        declared = _declared(optuna.distributions, known[name]) if name in known else None
        fits = declared is not None and all(
            isinstance(declared, optuna.distributions.CategoricalDistribution)
            and v in declared.choices
            or not isinstance(declared, optuna.distributions.CategoricalDistribution)
            and declared._contains(declared.to_internal_repr(v))
            for v in values
        )
        found[name] = declared if fits else _seen(optuna.distributions, values)
    return found


def _declared(kinds: Any, param: Param) -> Any:
    if isinstance(param, Float):
        return kinds.FloatDistribution(param.low, param.high, log=param.log, step=param.step)
    if isinstance(param, Int):
        return kinds.IntDistribution(param.low, param.high, log=param.log, step=param.step)
    if isinstance(param, (Bool, Choice)):
        return kinds.CategoricalDistribution(list(param.values()))
    raise TypeError(f"no parameter of type {type(param).__name__} is known here")


def _seen(kinds: Any, values: Sequence[Any]) -> Any:
    """As wide as what was tried."""
    if values and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in values):
        kind = kinds.IntDistribution if all(isinstance(v, int) for v in values) else kinds.FloatDistribution
        return kind(min(values), max(values))
    return kinds.CategoricalDistribution(list(dict.fromkeys(values)))


def _frozen(optuna: Any, trial: Trial, record: SearchRecord, distributions: dict[str, Any]) -> Any:
    states = optuna.trial.TrialState
    objectives = _objectives(record)
    values: list[float | None] = [trial.value]
    if len(objectives) > 1:
        values = [trial.values.get(o.name) for o in objectives]
    whole = all(v is not None and math.isfinite(v) for v in values)
    state = {
        State.RUNNING: states.RUNNING,
        State.COMPLETED: states.COMPLETE if whole else states.FAIL,
        State.PRUNED: states.PRUNED,
    }.get(trial.state, states.FAIL)
    kept = values if whole and (state == states.COMPLETE or state == states.PRUNED and len(values) == 1) else None
    steps = {int(row.get("epoch") or i): row.get("value") for i, row in enumerate(trial.history, start=1)}
    if trial.folds:
        steps = dict(enumerate(trial.fold_values))
    frozen = optuna.trial.FrozenTrial(
        number=-1,
        trial_id=-1,
        state=state,
        value=None,
        values=kept,
        datetime_start=datetime.fromtimestamp(trial.started),
        datetime_complete=None if state == states.RUNNING else datetime.fromtimestamp(trial.ended or trial.started),
        params=dict(trial.params),
        distributions={n: distributions[n] for n in trial.params},
        user_attrs=_attributes(trial),
        system_attrs={},
        intermediate_values={k: v for k, v in steps.items() if v is not None} if len(values) == 1 else {},
    )
    frozen._validate()
    return frozen


def _attributes(trial: Trial) -> dict[str, Any]:
    known: dict[str, Any] = {
        "trial": trial.id,
        "state": trial.state.value,
        "epochs": trial.epochs,
        "best_epoch": trial.best_epoch,
        "budget": trial.budget,
        "seconds": round(trial.seconds, 3),
        "parameters": trial.parameters,
        "note": trial.note or None,
        **(trial.rungs[-1].tags if trial.rungs and not trial.folds else {}),
        **({"folds": len(trial.fold_values), "spread": trial.spread} if trial.folds else {}),
    }
    if trial.failure is not None:
        known |= {"failure": trial.failure.kind.value, "message": trial.failure.message}
    return {k: v for k, v in known.items() if v is not None}


def _about(record: SearchRecord) -> dict[str, Any]:
    data = record.info.get("data") or {}
    return {
        "fertune_run": record.name,
        "space": record.info["space"]["name"],
        "engine": record.info["engine"],
        "objective": ", ".join(o.name for o in _objectives(record)),
        "data": data.get("name", ""),
        "status": record.status,
        "note": "search scores are optimistic: the best of many on the rows that chose it",
    }


def require_search(record: Any) -> SearchRecord:
    """The record, where it is a search's.

    Raises:
        RunError: It is a stack.
    """
    if isinstance(record, SearchRecord):
        return record
    searches = ", ".join(record.info.get("runs") or ()) or "its searches"
    raise RunError(
        f"{record.name} is a stack; an Optuna study is made of a search",
        help=f"export one of those it was made of: {searches}; a stack goes with --csv and --log-dir",
    )
