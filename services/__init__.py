"""One folder for each service. No service imports another: services exchange events only."""
