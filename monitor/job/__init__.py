"""The main job: a source, the decoder, the profiler and the store, run as one loop."""
