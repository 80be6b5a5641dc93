"""Programs from graphs: `tfdsl lift` reads a graph that TensorFlow wrote, and writes source that builds it again."""
