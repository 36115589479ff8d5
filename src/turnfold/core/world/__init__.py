"""What a conversation may ask of the world, what it is answered, and what it may do without asking."""
