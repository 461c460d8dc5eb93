"""The agents of the pipeline, and the runtime, command line and web page around them."""
