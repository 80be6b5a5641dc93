"""The statements of sessions: what each does outside of the graph."""
