"""The search for hyperparameters: its settings, what it tries and how a trial is trained."""
