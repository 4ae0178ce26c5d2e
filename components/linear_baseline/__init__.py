"""LinearBaseline: what simple models reach on the splits that a model is trained and evaluated on."""
