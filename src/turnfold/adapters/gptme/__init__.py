"""gptme's files as turnfold's: settings and conversations, and what of them could not be carried over. Pure: text in, values out."""
