"""Leaks and controls, planted one at a time to see what each is worth."""
