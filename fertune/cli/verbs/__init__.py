"""One module a command: ``add`` its grammar, ``run`` it. A module imports nothing heavy until it runs."""
