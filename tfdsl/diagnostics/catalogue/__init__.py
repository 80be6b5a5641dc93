"""All messages, by the first digit of their codes."""
