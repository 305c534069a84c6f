"""Shapes and rules that the requests of both APIs share."""
