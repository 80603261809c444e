"""What is given of an identity to another agency, and on which legal basis."""
