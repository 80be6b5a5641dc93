"""Makes the pages of the site, from those of the project and from the tables of the language."""
