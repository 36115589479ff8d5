"""Python functions as tools: their schemas from their signatures, their arguments decoded, their calls made."""
