"""What it takes to run Estafet: the broker, the databases, the images, and the secrets they start with."""
