"""Loading of models: location, serialised imports, GPU memory and the heap."""
