"""Training and prediction of one model, in a child process. Only ``runner`` and ``load`` import keras, when called."""
