"""Descent: where it starts (initializers) and how long its steps are (schedules)."""
