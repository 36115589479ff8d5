"""Tests of core.tools."""
