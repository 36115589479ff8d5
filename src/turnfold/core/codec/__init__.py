"""Values to text and back: what journals, stores and wires hold."""
