"""Loading of models: where they come from, one import at a time, memory of the GPU and the heap."""
