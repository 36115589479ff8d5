"""Patches: what a model writes to change files, as values, and what they make of a text.

``reading`` reads three forms (``blocks``, ``envelope``, ``unified``) into the values of ``changes``; ``applying`` makes the new text,
by ``replacing`` for blocks and by ``splicing`` for the sections of diffs.
"""
