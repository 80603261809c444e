"""What crosses the wire between agencies: codes, events, envelope, subjects. No I/O, no clock, no framework."""
