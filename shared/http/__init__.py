"""HTTP: from the first byte of a request to its problem document."""
