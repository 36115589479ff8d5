"""The conversation as a machine: ``step`` decides, ``apply`` remembers."""
