"""What editors ask about programs, as plain functions over analysed documents. `server.py` answers a language client
with them; prompts and notebooks can call them too."""
