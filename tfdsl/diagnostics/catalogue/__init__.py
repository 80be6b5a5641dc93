"""All messages, by the hundreds of their codes."""
