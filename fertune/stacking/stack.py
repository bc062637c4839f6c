"""The road of a stack: folds, out-of-fold matrix, meta-learners, variants, and one reading of the test rows.

What may look at what:

* a fold's model: its ``fit`` rows by gradient, its ``stop`` rows for stopping and schedules, nothing else (law 1);
* the choice of the best single model and of the meta-learner: out-of-fold rows only (law 9);
* test labels: read once, in ``_compare``, after everything was chosen.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from fertune.config import StackOptions
from fertune.data import ImageDataset
from fertune.errors import AllTrialsFailed
from fertune.evaluation import Contender, accuracy, compare
from fertune.folds import Fold, check_parts, make_bags
from fertune.predictions import OOF, assemble
from fertune.searching import Observer
from fertune.stacking.bundle import write_bundle
from fertune.stacking.cutting import folds_at
from fertune.stacking.held_out import held_out, out_of_bag
from fertune.stacking.learners import META_SHARE, Learned, learn_all
from fertune.stacking.members import Member
from fertune.stacking.outcome import write_outcome, write_pictures, write_test
from fertune.stacking.pieces import Piece, StackHalted, Trainer
from fertune.stacking.reuse import take_over
from fertune.store import RunFolder
from fertune.store.fold_files import write_folds
from fertune.trial import Executor, PredictJob, Rows, TrainJob

TRAIN_SHARE = 0.80
"""Of a time budget: training ends here, tuning meta-learners at ``META_SHARE``, the rest is for the test rows."""


@dataclass
class _Trained:
    """A configuration with all its models."""

    member: Member
    pieces: list[Piece]
    seconds: float


class Stack:
    """One stack, from its beginning or from where its folder stands.

    Args:
        folder: The run, open for writing.
        dataset: The data that the searches saw.
        members: Configurations to be trained across the folds.
        options: See ``StackOptions``.
        executor: Trains and predicts; not closed here.
        observer: Is told what happens.
        stop_requested: Asked between events.
        started: ``time.monotonic()`` from which the time budget counts.
    """

    def __init__(
        self,
        *,
        folder: RunFolder,
        dataset: ImageDataset,
        members: Sequence[Member],
        options: StackOptions,
        executor: Executor,
        observer: Observer,
        stop_requested: Callable[[], bool],
        started: float,
    ) -> None:
        self._folder, self._data, self._members, self._options = folder, dataset, list(members), options
        self._executor, self._observer, self._stop_requested = executor, observer, stop_requested
        self._started = started
        self._path = folder.path
        self._positions = dataset.positions("train", "validation")
        self._trainer = Trainer(
            executor,
            folder.journal,
            observer,
            deadline=self._deadline(TRAIN_SHARE),
            stop_requested=stop_requested,
            divide=options.epochs is None,
        )
        self._left_out: list[dict[str, str]] = []
        self._outside = self._positions
        """Positions of the rows of the out-of-fold matrix; known once the folds are."""

    @property
    def _predictor(self) -> str:
        """What predicts for a member."""
        options = self._options
        held_out = "one model, which the held-out rows were kept from"
        return held_out if options.holdout else f"mean of {options.folds} fold models"

    def _deadline(self, share: float) -> float | None:
        budget = self._options.time_budget
        return None if budget is None else self._started + share * budget

    def run(self) -> dict[str, Any]:
        """Do what is not done yet; returns the comparison.

        Raises:
            AllTrialsFailed: No configuration could be trained on all folds.
            StackHalted: The user interrupted; the journal says so.
        """
        try:
            comparison = self._run()
        except StackHalted:
            self._folder.journal.write("ended", status="interrupted", reason="interrupted")
            raise
        except AllTrialsFailed as error:
            self._folder.journal.write("ended", status="finished", reason=error.message)
            raise
        self._folder.journal.write("ended", status="finished", reason="compared")
        return comparison

    def _run(self) -> dict[str, Any]:
        folds = self._folds()
        trained = self._train(self._members, later=self._later())
        if not trained:
            raise AllTrialsFailed(
                "no configuration was trained on all folds, so there is nothing to stack",
                details=[f"{x['name']}: {x['reason']}" for x in self._left_out],
                help=f"add time and go on: fertune stack --out {self._path} --resume --time-budget 2h",
            )
        oof = self._matrix(trained, folds)
        labels = self._data.labels[self._outside]
        scores = [accuracy(oof.proba[:, i], labels) for i in range(len(oof.names))]
        best = trained[int(np.argmax(scores))]
        variants = self._train(self._variants(best.member))
        learned, missing = learn_all(
            oof,
            self._path,
            class_names=self._data.class_names,
            trials=self._options.meta_trials,
            seed=self._options.seed,
            deadline=self._deadline(META_SHARE),
            stop_requested=self._stop_requested,
            observer=self._observer,
            names=self._options.meta,
        )
        self._left_out += missing
        if self._stop_requested():
            raise StackHalted
        chosen = max(learned, key=lambda x: (x.oof_accuracy, -x.oof_log_loss))
        write_bundle(
            self._path,
            members=[(t.member.name, [p.folder / "model.keras" for p in t.pieces]) for t in trained],
            learner=chosen.name,
            learner_folder=self._path / "meta" / chosen.name,
            class_names=self._data.class_names,
            image_shape=self._data.image_shape,
        )
        return self._compare(trained, variants, oof, learned, best.member.name, chosen.name)

    def _folds(self) -> list[Fold]:
        """Cut once, kept in ``folds.npz``; a resumed stack reads them back."""
        options = self._options
        path = self._path / "folds.npz"
        folds = folds_at(path, self._data, k=options.folds, holdout=options.holdout, seed=options.seed)
        self._outside = np.sort(np.concatenate([fold.held_out for fold in folds]))
        return folds

    def _bags(self, n: int) -> None:
        """Bootstrap bags, checked, and kept in ``bags.npz``; the same seed draws the same ones again."""
        bags = make_bags(self._positions, self._data.labels, self._data.groups, n=n, seed=self._options.seed)
        check_parts(bags, self._positions, self._data.groups)
        path = self._path / "bags.npz"
        if not path.exists():
            write_folds(path, bags, "bag")

    def _variants(self, best: Member) -> list[Member]:
        """Rows beside the best single model: other class weights, and bagging."""
        weights = [w for w in self._options.class_weights if w != best.class_weight]
        variants = [best.reweighted(w) for w in weights]
        return variants + ([best.bagged(self._options.bagging)] if self._options.bagging else [])

    def _pieces(self, member: Member, number: int) -> list[Piece]:
        kind, file = ("bag", "bags.npz") if member.bags else ("fold", "folds.npz")
        count = member.bags or self._options.folds
        pieces = []
        for i in range(count):

            def rows(part: str, i: int = i) -> Rows:
                return Rows(file=str(self._path / file), key=f"{kind}{i}_{part}")

            pieces.append(
                Piece(
                    member.name,
                    i,
                    kind,
                    TrainJob(
                        id=f"{member.slug}/{kind}-{i}",
                        data=str(self._data.folder),
                        fingerprint=self._data.fingerprint,
                        fit=rows("fit"),
                        stop=rows("stop"),
                        predict={"held_out": rows("held_out")},
                        family=member.family,
                        build=member.build,
                        settings=dict(member.settings),
                        budget=member.epochs,
                        objective=member.objective,
                        seed=int(np.random.SeedSequence([self._options.seed, number, i]).generate_state(1)[0] % 2**31),
                        class_weight=member.class_weight,
                        out=str(self._path / "members" / member.slug / f"{kind}-{i}"),
                    ),
                )
            )
        return pieces

    def _later(self) -> int:
        """Models of the rows beside the best single one, which want their part of the time too."""
        common = self._members[0].class_weight
        weights = sum(1 for w in self._options.class_weights if w != common)
        return weights * self._options.folds + self._options.bagging

    def _train(self, members: Sequence[Member], later: int = 0) -> list[_Trained]:
        """Train members across folds or bags; those that did not finish are left out and named."""
        plan: list[tuple[Member, list[Piece]]] = []
        for member in members:
            if member.bags:
                self._bags(member.bags)
            number = next(
                (i for i, m in enumerate(self._members) if m.trial == member.trial and m.run == member.run), 0
            )
            pieces = self._pieces(member, number)
            plan.append((member, pieces))
            taken = take_over(
                member,
                pieces,
                self._path / "folds.npz",
                self._folder.journal,
                said=self._observer.said,
                predict=self._trainer.predict,
            )
            if taken:
                what = "its model" if self._options.holdout else f"{taken} of {len(pieces)} folds"
                self._observer.said(f"{member.name}: {what} taken from run {member.run}")
        self._trainer.train([p for _, pieces in plan for p in pieces], later=later)
        runs = self._trainer.runs
        trained = []
        for member, pieces in plan:
            states = [runs.get((p.member, p.fold)) for p in pieces]
            bad = next((s for s in states if s is not None and s.failure is not None), None)
            finished = sum(1 for s in states if s is not None and s.state == "completed")
            if bad is not None and bad.failure is not None:
                reason = f"fold {bad.fold} failed: {bad.failure.kind.value}: {bad.failure.message}"
            elif finished < len(pieces):
                reason = f"{finished} of {len(pieces)} {pieces[0].kind}s finished within the time budget"
            else:
                trained.append(_Trained(member, pieces, sum(s.seconds for s in states if s is not None)))
                continue
            self._left_out.append({"name": member.name, "reason": reason})
            self._observer.warned(f"{member.name} is left out: {reason}")
        return trained

    def _matrix(self, trained: Sequence[_Trained], folds: Sequence[Fold]) -> OOF:
        """The out-of-fold matrix: each row once for each member, by a model that never saw it (law 2)."""
        rows = self._data.row_ids[self._outside]
        oof = assemble(rows, {t.member.name: [held_out(p) for p in t.pieces] for t in trained})
        fold_of = np.full(len(self._data), -1, np.int8)
        for i, fold in enumerate(folds):
            fold_of[fold.held_out] = i
        whole = replace(
            oof,
            fold=fold_of[self._outside],
            labels=np.asarray(self._data.labels[self._outside]),
            groups=np.asarray(self._data.groups[self._outside]),
            twins=np.asarray(self._data.twins[self._outside]) if self._data.grouped else None,
        )
        whole.save(self._path / "oof.npz")
        return whole

    def _test_proba(self, trained: Sequence[_Trained]) -> tuple[np.ndarray, dict[str, float]]:
        """(rows, configurations, classes): the mean of each configuration's models on the test rows."""
        jobs: dict[str, list[PredictJob]] = {}
        for t in trained:
            jobs[t.member.name] = [
                PredictJob(
                    id=f"test/{p.job.id}",
                    data=str(self._data.folder),
                    fingerprint=self._data.fingerprint,
                    rows=Rows(splits=("test",)),
                    model=str(p.folder / "model.keras"),
                    out=str(p.folder / "test.npz"),
                )
                for p in t.pieces
            ]
        seconds = self._trainer.predict([j for many in jobs.values() for j in many])
        means, times = [], {}
        for name, many in jobs.items():
            parts = []
            for job in many:
                with np.load(job.out, allow_pickle=False) as stored:
                    parts.append(stored["proba"].astype(np.float64))
            means.append(np.mean(parts, axis=0))
            times[name] = sum(seconds.get(j.id, 0.0) for j in many)
        return np.stack(means, axis=1), times

    def _compare(
        self,
        trained: list[_Trained],
        variants: list[_Trained],
        oof: OOF,
        learned: Sequence[Learned],
        best: str,
        chosen: str,
    ) -> dict[str, Any]:
        """The one reading of the test rows, and the table."""
        data, test = self._data, self._data.positions("test")
        has_test = len(test) > 0
        proba, times = self._test_proba([*trained, *variants]) if has_test else (None, {})
        labels = data.labels[self._outside]
        contenders: list[Contender] = []
        member_test = proba[:, : len(trained)] if proba is not None else None
        member_seconds = sum(t.seconds for t in trained)
        member_times = sum(times.get(t.member.name, 0.0) for t in trained)
        for i, t in enumerate([*trained, *variants]):
            if t.member.bags:
                own, covered = out_of_bag(t.pieces, self._data.row_ids[self._outside], data.n_classes)
                full = np.full((len(labels), data.n_classes), np.nan)
                full[covered] = own
                rows = int(covered.sum())
            else:
                part = assemble(oof.rows, {t.member.name: [held_out(p) for p in t.pieces]})
                full, rows = part.proba[:, 0], len(labels)
            contenders.append(
                Contender(
                    t.member.name,
                    t.member.role,
                    None if proba is None else proba[:, i],
                    full,
                    rows,
                    t.seconds,
                    times.get(t.member.name) or None,
                )
            )
        for x in learned:
            contenders.append(
                Contender(
                    x.name,
                    x.role,
                    None if member_test is None else x.fitted.predict_proba(member_test),
                    x.oof_proba,
                    len(labels),
                    member_seconds + x.seconds,
                    member_times or None,
                )
            )
        known = np.isin(data.twins[test], data.twins[self._positions])
        comparison = compare(
            contenders,
            test_labels=data.labels[test] if has_test else None,
            test_groups=data.groups[test] if has_test else None,
            test_twin=known if has_test else None,
            oof_labels=labels,
            reference=best,
            chosen=chosen,
            seed=self._options.seed,
            predictor=self._predictor,
            left_out=self._left_out,
        )
        if has_test:
            write_test(
                self._path,
                comparison,
                contenders,
                row=data.row_ids[test],
                labels=data.labels[test],
                twin=known,
                groups=data.groups[test],
            )
            final = next(c.test_proba for c in contenders if c.name == chosen)
            if final is not None:
                write_pictures(self._path, data, test, final, self._options.seed)
        write_outcome(self._path, comparison, learned, oof)
        return comparison
