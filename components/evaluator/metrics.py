"""The metrics of this project by the names under which the Evaluator finds them."""

from components.evaluator.embedding_metrics import AnalogyAccuracy, Coverage, HeldOutLoss, Spearman
from components.evaluator.label_metrics import ExactLabels, LabelLoss, MacroF1, MicroF1, MicroPrecision, MicroRecall
from components.evaluator.tagging_metrics import SpanF1, SpanPrecision, SpanRecall, TokenAccuracy, TokenLoss

__all__ = [
    "AnalogyAccuracy",
    "Coverage",
    "ExactLabels",
    "HeldOutLoss",
    "LabelLoss",
    "MacroF1",
    "MicroF1",
    "MicroPrecision",
    "MicroRecall",
    "SpanF1",
    "SpanPrecision",
    "SpanRecall",
    "Spearman",
    "TokenAccuracy",
    "TokenLoss",
]
