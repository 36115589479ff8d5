"""Messages, and the log that holds them."""
