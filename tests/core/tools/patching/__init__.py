"""Tests of core.tools.patching."""
