"""Everything on this machine: what ``make run`` starts."""
