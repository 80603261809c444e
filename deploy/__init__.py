"""Commands and files to run Estafet: broker, databases, images, certificates, keys and other secrets."""
