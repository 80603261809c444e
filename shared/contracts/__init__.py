"""The wire format between agencies: codes, events, envelope, subjects. No I/O, no time, no framework."""
