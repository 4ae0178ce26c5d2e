"""The Evaluator's metrics and the choice of its baseline model."""
