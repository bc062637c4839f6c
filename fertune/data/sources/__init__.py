"""One module a kind of source; each reads something into a ``Parsed`` and says all faults at once."""
