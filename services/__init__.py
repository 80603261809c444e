"""One folder for each service. They never import each other: they meet on the wire only."""
