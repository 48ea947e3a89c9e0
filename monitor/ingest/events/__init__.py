"""Events of operations, as CloudEvents: what happens around a model besides its inferences."""
