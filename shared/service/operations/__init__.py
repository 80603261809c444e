"""What every service offers its operators: parked events, links, schemas, problems, keys and health."""
