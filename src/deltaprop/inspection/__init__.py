"""Looking into a network: the trace of a sample, the gradient check, drawings. All of it reads the engine's numbers."""
