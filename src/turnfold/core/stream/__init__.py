"""The stream: a conversation as a row of items for whoever watches it, read off the journal and the live reply."""
