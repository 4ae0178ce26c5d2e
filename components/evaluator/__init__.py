"""What the Evaluator judges by, and which model it compares with."""
