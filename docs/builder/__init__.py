"""Makes the pages of the site from the pages of the project and the tables of the language."""
