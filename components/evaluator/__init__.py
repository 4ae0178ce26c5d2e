"""The Evaluator: its metrics, its baseline model, and its comparison with the linear model."""
