"""Word vectors next to gensim and a Keras tutorial."""
