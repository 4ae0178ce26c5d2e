"""The search for hyperparameters: its settings, its oracles and the training of trials."""
