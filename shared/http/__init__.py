"""HTTP of every service, from the first byte of a request to its answer or its problem document."""
