"""Cases and journeys: opened, registered, recorded and closed."""
