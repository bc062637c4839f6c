"""How good is it, and is it better? Metrics, intervals, paired tests, the table and its verdict. No keras."""

from fertune.evaluation.bootstrap import Intervals, paired_bootstrap
from fertune.evaluation.calibration import Reliability, ece, reliability
from fertune.evaluation.comparison import compare
from fertune.evaluation.contender import ROLES, Contender, OutOfFold, best_by_oof, out_of_fold
from fertune.evaluation.metrics import (
    ClassScores,
    accuracy,
    confusion,
    log_loss,
    macro_f1,
    precision_recall_f1,
    predicted,
)
from fertune.evaluation.paired import McNemar, holm, mcnemar
from fertune.evaluation.signed_rank import signed_rank
from fertune.evaluation.verdict import Verdict, cost_sentence, judge, no_test, twins_sentence, write_verdict

__all__ = [
    "ClassScores", "Contender", "Intervals", "McNemar", "OutOfFold", "ROLES", "Reliability", "Verdict", "accuracy",
    "best_by_oof", "compare", "confusion", "cost_sentence", "ece", "holm", "judge", "log_loss", "macro_f1", "mcnemar",
    "no_test", "out_of_fold", "paired_bootstrap", "precision_recall_f1", "predicted", "reliability", "signed_rank",
    "twins_sentence", "write_verdict",
]  # fmt: skip
